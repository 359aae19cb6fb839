import type { RouteConfig } from '../../src/config/keys.ts'
import type { Alert } from '../../src/model/alert.ts'

let last = 0

/** An alert with an id of its own. */
export function anAlert(changes: Partial<Alert> = {}): Alert {
  last += 1
  return {
    id: `alert ${last}`,
    matter: `matter ${last}`,
    kind: 'run not protected',
    severity: 'alert',
    at: Date.parse('2026-11-21T11:59:00Z'),
    title: `run ${last} protected nobody`,
    text: 'The engine could not be reached.',
    ...changes,
  }
}

/** A route that is told of everything. */
export function aRoute(name: string, changes: Partial<RouteConfig> = {}): RouteConfig {
  return {
    name,
    severity: 'normal',
    mail: undefined,
    webhook: undefined,
    webhookSecret: undefined,
    webhookSecretFile: undefined,
    engine: false,
    digest: undefined,
    timeZone: undefined,
    ...changes,
  }
}
