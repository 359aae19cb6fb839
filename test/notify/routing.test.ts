import { describe, expect, test } from 'vitest'
import type { Alert } from '../../src/model/alert.ts'
import { keyOf, receiversOf } from '../../src/notify/routing.ts'
import { anAlert, aRoute } from './an-alert.ts'

const routes = [
  aRoute('ops', { severity: 'warning', mail: ['ops@example.com', 'boss@example.com'] }),
  aRoute('chat', { severity: 'normal', webhook: 'https://chat.example.com/hook', engine: true }),
  aRoute('night', { severity: 'alert', mail: ['duty@example.com'] }),
  aRoute('weekly', { severity: 'none', mail: ['chief@example.com'] }),
]
const jobs = [
  { name: 'data', notify: undefined },
  { name: 'mail', notify: ['night'] },
  { name: 'lost', notify: ['chat', 'gone'] },
]

const everyOps = ['mail ops ops@example.com', 'mail ops boss@example.com']
const chat = ['webhook chat', 'engine chat']
const night = 'mail night duty@example.com'

function told(changes: Partial<Alert>, wasTold?: Parameters<typeof receiversOf>[2]): string[] {
  return receiversOf(anAlert(changes), { routes, jobs }, wasTold).map(keyOf)
}

describe('an alert goes to', () => {
  test.each<[string, Partial<Alert>, string[]]>([
    ['all routes whose severity it has', { severity: 'alert' }, [...everyOps, ...chat, night]],
    ['not to those that want graver ones', { severity: 'warning' }, [...everyOps, ...chat]],
    ['good news to those that want it', { severity: 'normal' }, chat],
    ['all routes when its job names none', { severity: 'alert', job: 'data' }, [...everyOps, ...chat, night]],
    ['only the routes that its job names', { severity: 'alert', job: 'mail' }, [night]],
    ['none of them when it is less grave than they want', { severity: 'warning', job: 'mail' }, []],
    ['those of the named routes that there are', { severity: 'alert', job: 'lost' }, chat],
    [
      'all routes when its job is not configured',
      { severity: 'warning', job: 'old' },
      [...everyOps, ...chat],
    ],
    [
      'everybody when it is a test, also who gets digests only',
      { severity: 'normal', kind: 'test' },
      [...everyOps, ...chat, night, 'mail weekly chief@example.com'],
    ],
    ['all ways but the one that it is about', { severity: 'warning', matter: 'mail ops' }, chat],
  ])('%s', (_what, changes, expected) => {
    expect(told(changes)).toEqual(expected)
  })

  test('those who were told of the matter, when it is over, however small that is', () => {
    const wasTold = (receiver: Parameters<typeof keyOf>[0]) => keyOf(receiver) === everyOps[1]
    expect(told({ severity: 'normal', kind: 'rpo clear' }, wasTold)).toEqual([everyOps[1], ...chat])
    expect(told({ severity: 'normal', kind: 'run protected' }, wasTold)).toEqual(chat)
  })

  test('an address once, also when it stands in several routes', () => {
    const twice = [
      aRoute('a', { mail: ['ops@example.com'], webhook: 'https://x.example.com/1', engine: true }),
      aRoute('b', {
        mail: ['OPS@example.com', 'b@example.com'],
        webhook: 'https://x.example.com/1',
        engine: true,
      }),
    ]
    const receivers = receiversOf(anAlert(), { routes: twice, jobs: [] }).map(keyOf)
    expect(receivers).toEqual(['mail a ops@example.com', 'webhook a', 'engine a', 'mail b b@example.com'])
  })
})
