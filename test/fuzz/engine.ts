import assert from 'node:assert/strict'
import fc from 'fast-check'
import { planBackup } from '../../src/backup/plan.ts'
import { EngineError, UsageError } from '../../src/model/errors.ts'
import { addressOf } from '../../src/ovirt/address.ts'
import { actBodyOf, bodyOf } from '../../src/ovirt/request.ts'
import { createSignOn } from '../../src/ovirt/sign-on.ts'
import { NoAnswer } from '../../src/ovirt/transport.ts'
import { faultIn, refusal, unreachable } from '../../src/ovirt/trouble.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domainsIn } from '../../src/ovirt/wire-domain.ts'
import { createdId, eventsIn, jobIn, jobsIn, startedJob } from '../../src/ovirt/wire-job.ts'
import { productIn } from '../../src/ovirt/wire-product.ts'
import { clustersIn, tagsIn } from '../../src/ovirt/wire-tag.ts'
import { missingParts, vmIn, vmRefsIn, vmRowsIn, withDisks } from '../../src/ovirt/wire-vm.ts'
import * as answers from './engine-answers.ts'
import { anyText, likeText } from './hostile.ts'
import { likeJson, likeParsed } from './hostile-json.ts'
import { checkAmount, checkLine, checkUuid, type Parser, parser } from './parser.ts'

const address = addressOf('https://engine.test', true)
const signal = new AbortController().signal

/** It stands in addresses and searches: nothing in it may lead elsewhere. */
function checkId(id: string): void {
  assert.match(id, /^[A-Za-z0-9_-]{1,64}$/)
}

const answer = fc.record({
  status: fc.constantFrom(200, 201, 302, 400, 401, 403, 404, 409, 500, 502, 503),
  isHtml: fc.boolean(),
  text: fc.oneof(
    likeJson(
      answers.fault,
      { access_token: 'abc', exp: '9' },
      { error: 'invalid_grant', error_description: 'no' },
    ),
    likeText(
      JSON.stringify(answers.fault),
      answers.page,
      `${'<title></title>'.repeat(3000)}x`,
      '<'.repeat(100_000),
    ),
  ),
})
const redirect = fc
  .tuple(answer, likeText('https://other.test/x', 'javascript:1'))
  .map(([one, location]) => ({ ...one, location }))

export const engineParsers: Parser[] = [
  parser('address of the engine', {
    input: fc.tuple(
      likeText('https://engine.test/ovirt-engine/api', 'http://127.0.0.1:80', 'https://u:pw@e'),
      fc.boolean(),
    ),
    read: ([server, verifyTls]) => addressOf(server, verifyTls),
    refusal: UsageError,
    holds: ({ origin, api, encrypted }, [, verifyTls]) => {
      assert.equal(new URL(api).origin, origin)
      assert.ok(encrypted || !verifyTls || /^http:\/\/(localhost|127\.|\[::1\])/.test(origin))
    },
  }),
  parser('list of VMs', {
    input: likeParsed(answers.vms),
    read: (body) => vmRowsIn(body).map((row) => ({ missing: missingParts(row), vm: vmIn(row) })),
    refusal: EngineError,
    holds: (rows) => {
      for (const { vm } of rows) {
        checkId(vm.id)
        checkLine(vm.name)
        for (const { description } of vm.snapshots) if (description !== '') checkLine(description)
        for (const disk of vm.disks) {
          checkId(disk.id)
          checkLine(disk.name)
          checkAmount(disk.sizeBytes)
          for (const domain of disk.domains) checkId(domain)
        }
      }
    },
  }),
  parser('volumes of VMs, as files', {
    input: likeParsed(answers.vms),
    read: (body) => {
      const vms = vmRowsIn(body).map(vmIn)
      const [domain] = domainsIn(answers.domains)
      assert.ok(domain !== undefined)
      const plan = planBackup(domain, vms, () => answers.ids.overlay, { engine: 'x', lastEvent: 1 })
      return plan.vms.flatMap(({ disks }) =>
        disks.flatMap(({ id, volume }) =>
          volume === undefined ? [] : vdsmLayout.filesOf(domain.id, id, volume).inRemovalOrder,
        ),
      )
    },
    holds: (paths) => {
      for (const path of paths) {
        const [domain = '', images, image = '', file = '', ...rest] = path.split('/')
        assert.deepEqual([images, rest], ['images', []])
        for (const id of [domain, image, file.replace(/\.(lease|meta)$/, '')]) checkUuid(id)
      }
    },
  }),
  parser('disks asked for one by one', {
    input: likeParsed(answers.attachments),
    read: (body) =>
      withDisks(body, async (id) => {
        checkId(id)
        return { id, storage_type: 'image' }
      }),
    refusal: EngineError,
  }),
  parser('list of tags', {
    input: likeParsed(answers.tags),
    read: tagsIn,
    refusal: EngineError,
    holds: (tags) => {
      for (const tag of tags) checkId(tag.id)
    },
  }),
  parser('list of clusters', {
    input: likeParsed({ cluster: [{ id: answers.ids.center, name: 'Default' }] }),
    read: clustersIn,
    refusal: EngineError,
    holds: (clusters) => {
      for (const { id, name } of clusters) {
        checkId(id)
        if (name !== '') checkLine(name)
      }
    },
  }),
  parser('names of VMs', {
    input: likeParsed(answers.vms),
    read: vmRefsIn,
    refusal: EngineError,
    holds: (refs) => {
      for (const { id, name } of refs) {
        checkId(id)
        checkLine(name)
      }
    },
  }),
  parser('list of storage domains', {
    input: likeParsed(answers.domains),
    read: domainsIn,
    refusal: EngineError,
    holds: (domains) => {
      for (const domain of domains) {
        checkId(domain.id)
        checkId(domain.dataCenterId ?? 'none')
        for (const line of [domain.name, domain.type, domain.status ?? 'none']) checkLine(line)
      }
    },
  }),
  parser('list of jobs', {
    input: likeParsed(answers.jobs),
    read: (body) => [...jobsIn(body), ...jobsIn({ job: [jobIn(answers.jobs.job[0])] })],
    refusal: EngineError,
    holds: (jobs) => {
      for (const job of jobs) checkId(job.id)
    },
  }),
  parser('job', {
    input: likeParsed(answers.jobs.job[0]),
    read: jobIn,
    refusal: EngineError,
    holds: ({ id }) => checkId(id),
  }),
  parser('list of events', {
    input: likeParsed(answers.events),
    read: eventsIn,
    refusal: EngineError,
    holds: (events) => {
      for (const event of events) {
        checkAmount(event.id)
        checkAmount(event.code)
        if (event.text !== '') checkLine(event.text)
        if (event.at !== undefined) assert.ok(!Number.isNaN(new Date(event.at).getTime()))
      }
    },
  }),
  parser('id of what was made', {
    input: likeParsed({ id: answers.ids.vm }, { job: { id: answers.ids.disk } }),
    read: (body) => [createdId(body, 'new thing'), startedJob(body)],
    refusal: EngineError,
    holds: (ids) => {
      for (const id of ids) checkId(id ?? 'none')
    },
  }),
  parser('job of an action', {
    input: likeParsed(answers.action),
    read: startedJob,
    refusal: EngineError,
    holds: (id) => checkId(id ?? 'none'),
  }),
  parser('root of the API', {
    input: likeParsed(answers.root),
    read: productIn,
    refusal: EngineError,
    holds: ({ name, version }) => {
      for (const line of [name, version]) checkLine(line)
    },
  }),
  parser('answer of the engine', {
    input: fc.oneof(answer, redirect),
    read: (one) => bodyOf(one, 'list the VMs'),
    refusal: EngineError,
  }),
  parser('answer to an act', {
    input: fc.oneof(answer, redirect),
    read: (one) => actBodyOf(one, { method: 'POST', path: '/x', doing: 'take a snapshot' }),
    refusal: EngineError,
  }),
  parser('fault of the engine', {
    input: fc.oneof(answer, redirect),
    read: (one) => {
      const fault = faultIn(one.text)
      if (fault !== undefined) checkLine(fault)
      throw refusal(one, 'take a snapshot', 'unknown')
    },
    refusal: EngineError,
  }),
  parser('failure of a connection', {
    input: fc.tuple(
      likeText('ECONNREFUSED', 'CERT_HAS_EXPIRED', 'ERR_SSL_X'),
      likeText('connect ECONNREFUSED 127.0.0.1:443'),
    ),
    read: ([code, message]) => {
      throw unreachable(new NoAnswer(code, message), 'list the VMs', address, 'unknown')
    },
    refusal: EngineError,
  }),
  parser('token of a sign-on', {
    input: answer,
    read: (one) =>
      createSignOn(address, { user: 'admin@internal', password: async () => 'pw' }, async () => one).token(
        signal,
      ),
    refusal: EngineError,
    holds: (token) => assert.match(token, /^[\x21-\x7e]+$/),
  }),
  parser('any answer at all', {
    input: anyText.map((text) => ({ status: 200, isHtml: false, text })),
    read: (one) => bodyOf(one, 'x'),
    refusal: EngineError,
  }),
]
