import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { type Answer, ask, type Served, served } from './an-api.ts'
import { type Call, goodCall, hostileCall } from './arbitrary.ts'
import { documentOf, filledIn, judgeBy, type Operation, operationsIn } from './the-document.ts'

// How often each operation is called with each kind of input; more of it: VMBACKUP_API_FUZZ=5000.
const numRuns = Number(process.env['VMBACKUP_API_FUZZ'] ?? 25)
const time = { timeout: 60_000 + numRuns * 500 }

function call(
  { socket }: Served,
  { method, path }: Operation,
  { path: values, query, body, contentType }: Call,
) {
  const search = new URLSearchParams(query).toString()
  const encoded = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.toWellFormed()]),
  )
  return ask(socket, `${filledIn(path, encoded)}${search && `?${search}`}`, {
    method,
    ...(body === undefined ? {} : { body }),
    headers: contentType === undefined ? {} : { 'content-type': contentType },
  })
}

async function anApi() {
  const api = await served({ metrics: async () => ({ contentType: 'text/plain', text: 'up 1\n' }) })
  const document = await documentOf(api)
  const counts = new Map<number, number>()
  onTestFinished(() => expect(api.errors).toEqual([]))
  return { api, document, operations: operationsIn(document), judge: judgeBy(document), counts }
}

function check(judge: ReturnType<typeof judgeBy>, operation: Operation, answer: Answer): void {
  expect(answer.status, answer.body).toBeLessThan(500)
  expect(judge(operation, answer)).toEqual([])
  expect(answer.body).not.toMatch(/\bat .*\.ts:\d+/)
}

it('answers every call that the document allows as the document promises', time, async () => {
  const { api, document, operations, judge, counts } = await anApi()
  for (const operation of operations) {
    const property = fc.asyncProperty(goodCall(operation, document), async (input) => {
      const answer = await call(api, operation, input)
      check(judge, operation, answer)
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
      // What the document allows is wrong at most in what it names.
      expect([200, 202, 404, 409], answer.body).toContain(answer.status)
    })
    await fc.assert(property, { numRuns })
  }
  // It was not all refused: good answers were judged, too.
  expect(counts.get(200)).toBeGreaterThan(numRuns)
  expect(counts.get(202)).toBeGreaterThan(0)
  expect(counts.get(404)).toBeGreaterThan(numRuns)
})

it(
  'answers whatever else it is sent with an error that the document declares, and goes on',
  time,
  async () => {
    const { api, operations, judge, counts } = await anApi()
    for (const operation of operations) {
      const property = fc.asyncProperty(hostileCall(operation), async (input) => {
        const answer = await call(api, operation, input)
        counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
        // A path may end up as that of another operation (a VM of the name "protect", or ".."): then its own promises count.
        if (answer.status < 400) expect(JSON.stringify([200, 202])).toContain(String(answer.status))
        else check(judge, operation, answer)
        for (const line of answer.status < 400 ? [] : Object.values(errorIn(answer))) {
          // A terminal obeys these.
          expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
          expect(line.length).toBeLessThan(700)
        }
      })
      await fc.assert(property, { numRuns })
    }
    expect(counts.get(400)).toBeGreaterThan(numRuns)
    expect(counts.get(415)).toBeGreaterThan(0)
    expect((await ask(api.socket, '/api/v1/health')).status).toBe(200)
  },
)

function errorIn({ body }: Answer): Record<string, string> {
  return (JSON.parse(body) as { error: Record<string, string> }).error
}
