import type { Role, User } from '../world/entities.ts'
import type { Ground } from './ground.ts'

const backupPermits = [
  'login',
  'manipulate_vm_snapshots',
  'inject_external_events',
  'inject_external_tasks',
  'manipulate_storage_domain',
]
const everyPermit = [
  ...backupPermits,
  'run_vm',
  'stop_vm',
  'shut_down_vm',
  'edit_vm_properties',
  'tag_management',
]

/** admin may all, operator what a backup needs, reader only look, guest is no administrator. */
export function addPeople(ground: Ground, password: string): void {
  for (const role of roles(ground)) ground.world.roles.set(role.id, role)
  for (const [principal, role] of [
    ['admin', 'SuperUser'],
    ['operator', 'BackupOperator'],
    ['reader', 'ReadOnlyAdmin'],
    ['guest', 'UserRole'],
  ] as const) {
    const user: User = {
      id: ground.id(`user-${principal}`),
      login: `${principal}@internal`,
      password,
      principal,
      domain: 'internal-authz',
      role: ground.id(`role-${role}`),
    }
    ground.world.users.set(user.id, user)
  }
}

function roles(ground: Ground): Role[] {
  const role = (name: string, administrative: boolean, permits: string[]): Role => ({
    id: ground.id(`role-${name}`),
    name,
    description: name,
    administrative,
    permits,
  })
  return [
    role('SuperUser', true, everyPermit),
    role('BackupOperator', true, backupPermits),
    role('ReadOnlyAdmin', true, ['login']),
    role('UserRole', false, ['login', 'run_vm']),
  ]
}
