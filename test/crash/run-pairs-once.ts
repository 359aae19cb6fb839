// One run of a job over two pairs in a directory, in a process of its own; prints the outcomes.
import { openTwoPairs } from '../support/two-pairs.ts'

const [root = ''] = process.argv.slice(2)
const pairs = await openTwoPairs(root)
const reports = await pairs.run()
process.stdout.write(reports.map(({ outcome }) => outcome).join())
