// One backup (or `recover`) on the stage in a directory, in a process of its own; prints its outcome.
import { limited } from '../backup/disturbed.ts'
import { openStage } from '../support/stage.ts'

const [root = '', act] = process.argv.slice(2)
const stage = await openStage(root)
const { outcome } = await (act === 'recover' ? stage.recover() : stage.run(limited))
process.stdout.write(outcome)
