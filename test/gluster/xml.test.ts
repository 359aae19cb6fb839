import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAnswer } from '../../src/gluster/xml.ts'
import { sample } from './fake-gluster.ts'

const good = await sample('status-created')

test('a declaration that lost its beginning is told as XML that is not well-formed', () => {
  // The library's validator lets it through; its parser does not.
  expect(() => parseAnswer(good.replace('<?xml version="', '<?'))).toThrow('not well-formed XML: ')
})

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
          expect((error as Error).message).toMatch(/^(not well-formed XML: |no cliOutput with an opRet$)/)
        }
      },
    ),
    { numRuns: 1000 },
  )
})
