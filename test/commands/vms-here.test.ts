import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { overwrittenBy } from '../../src/run/keeping.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { aCertificate } from '../api/certificates.ts'
import { aReport } from '../api/fake-agent.ts'
import { createLabHypervisor, type EngineAnswers } from '../contract/lab-hypervisor.ts'
import { fakeGluster, sample } from '../gluster/fake-gluster.ts'
import { aSite } from './a-terminal.ts'

const engine: EngineAnswers = {
  version: '4.5.6-1.el9',
  createAnswers: 202,
  removedVanishes: 'at once',
}
const volume = await sample('volume-info-single')

async function tls() {
  const { keyFile, certFile } = await aCertificate()
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') }
}

test('without an agent engine and history are asked: VMs are listed, protected and kept out', async () => {
  await using lab = await createLabHypervisor(engine, 0, await tls())
  for (const name of ['vmbackup-gold', 'vmbackup-no']) lab.addTag(name)
  await using gluster = await fakeGluster([
    { to: 'volume info vmstore', out: volume.replaceAll('>data<', '>vmstore<') },
  ])
  const { vmbackup, stateDir } = aSite({
    jobs: '[job nightly]\npairs = vmstore dr1.example.com copy\nrpo = 4h\n',
    server: lab.served.address,
    password: 'secret\nverify_tls = no',
    more: `[gluster]\ncommand = ${gluster.prefix.join(' ')}\n[policy gold]\nrpo = 1h\n`,
  })
  expect((await vmbackup('protect web')).stdout).toBe('web has the policy gold\n')
  expect((await vmbackup('unprotect db')).stdout).toBe('db is kept out of every job\n')
  const web = lab.world.findVm('web')?.id ?? ''
  const run = '20261121T120000Z-0a1b2c3d'
  const report = aReport(run)
  using ledger = new Ledger(join(stateDir, 'vmbackup.db'), 'vmstore--dr1.example.com--copy')
  ledger.remember({ ...report, vms: report.vms.map((vm) => ({ ...vm, id: web })) } as typeof report)
  ledger.note(overwrittenBy, run)

  const { vms } = JSON.parse((await vmbackup('vms --json')).stdout) as { vms: { name: string }[] }
  const named = new Map(vms.map((vm) => [vm.name, vm]))
  expect([...named.keys()]).toEqual(['db', 'idle', 'mixed', 'web'])
  expect(named.get('web')).toMatchObject({
    policy: 'gold',
    job: 'nightly',
    state: 'protected',
    rpo: 'breach',
  })
  expect(named.get('db')).toMatchObject({ state: 'not selected', rpo: 'none' })
  expect(named.get('idle')).toMatchObject({ state: 'waiting', rpo: 'breach' })
  const { stdout } = await vmbackup('vms --job nightly')
  expect(stdout).toMatch(/^web +gold +nightly +protected .*broken since .*, no run is planned/m)
  expect(stdout).not.toMatch(/^db /m)
})

test('a VM that there is not is told with what was meant', async () => {
  await using lab = await createLabHypervisor(engine, 0, await tls())
  const { vmbackup } = aSite({
    server: lab.served.address,
    password: 'secret\nverify_tls = no',
    more: '[policy gold]\nrpo = 1h\n',
  })
  await expect(vmbackup('protect wbe')).rejects.toThrow('the engine has no VM')
})
