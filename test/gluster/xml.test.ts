import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAnswer } from '../../src/gluster/xml.ts'
import { sample } from './fake-gluster.ts'

const good = await sample('status-created')

test('no text makes the reader fail with anything but an error that says so', () => {
  const whole = good.trimEnd()
  const cut = fc
    .tuple(fc.nat(whole.length), fc.nat(whole.length))
    .map(([from, to]) => whole.slice(0, from) + whole.slice(to))
  fc.assert(
    fc.property(
      fc.oneof(
        cut,
        fc.string(),
        fc.string().map((text) => `<cliOutput>${text}</cliOutput>`),
      ),
      (text) => {
        try {
          expect(parseAnswer(text).opRet).not.toBeNaN()
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          expect((error as Error).message).toMatch(/not well-formed|no cliOutput|[Ee]ntity|nested|invalid/i)
        }
      },
    ),
    { numRuns: 300 },
  )
})
