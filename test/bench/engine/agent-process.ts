import { keepHeapLean } from '../../../src/lean-heap.ts'
import { createEngine } from '../../../src/ovirt/engine.ts'
import { answering } from './child.ts'
import { type HistoryOrder, writeHistory } from './past-runs.ts'
import { type Planned, planAll } from './plan-all.ts'
import { type RunOrder, runSome } from './run-some.ts'
import { spent } from './spent.ts'
import { type WatchOrder, watchAll } from './watch-all.ts'

export type AgentQuestion = { server: string; ca: string } & (
  | { plan: true }
  | { run: RunOrder }
  | { history: HistoryOrder }
  | { watch: WatchOrder }
)

keepHeapLean()

answering<AgentQuestion>(async (question) => {
  const { server, ca } = question
  const hypervisor = createEngine({
    server,
    ca,
    user: 'admin@internal',
    password: async () => 'secret',
    verifyTls: true,
  })
  const signal = new AbortController().signal
  try {
    if ('run' in question) return { ...(await runSome(hypervisor, question.run)), ...spent() }
    if ('history' in question) return await writeHistory(hypervisor, question.history)
    if ('watch' in question) return { ...(await watchAll(hypervisor, question.watch)), ...spent() }
    return { ...(await timed(() => planAll(hypervisor, signal))), ...spent() }
  } finally {
    await hypervisor.close()
  }
})

async function timed(plan: () => Promise<Planned>) {
  const at = performance.now()
  const { plan: made } = await plan()
  const disks = made.vms.reduce((sum, vm) => sum + vm.disks.length, 0)
  return { seconds: (performance.now() - at) / 1000, vms: made.vms.length, disks }
}
