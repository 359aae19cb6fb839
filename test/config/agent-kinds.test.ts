import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  cron,
  endpoint,
  isLoopback,
  mailAddress,
  mailAddresses,
  names,
  pairs,
  percent,
  timeZone,
  webAddress,
} from '../../src/config/agent-kinds.ts'
import type { Kind } from '../../src/config/kind.ts'
import { diskPatterns, selectors } from '../../src/config/selection-kinds.ts'
import { digestTime, rates, windows } from '../../src/config/week-kinds.ts'

function read(kind: Kind<unknown>, text: string): unknown {
  const { data, error } = kind.schema.safeDecode(text)
  return error ? error.issues.map(({ message }) => message).join() : data
}

const address = endpoint('a:1')
const workdays = [1, 2, 3, 4, 5]
const everyDay = [0, 1, 2, 3, 4, 5, 6]

test.each<[string, Kind<unknown>, string, unknown]>([
  ['pairs', pairs, 'data dr1 copy', [{ primary: 'data', secondary: { host: 'dr1', volume: 'copy' } }]],
  [
    'pairs',
    pairs,
    'a  geo@dr1.example.com b,\nc dr2 d',
    [
      { primary: 'a', secondary: { user: 'geo', host: 'dr1.example.com', volume: 'b' } },
      { primary: 'c', secondary: { host: 'dr2', volume: 'd' } },
    ],
  ],
  ['cron', cron, '0  */4 * * mon-fri', '0 */4 * * mon-fri'],
  ['cron', cron, '30 0 2 * * *', '30 0 2 * * *'],
  ['cron', cron, '@daily', '@daily'],
  ['a time zone', timeZone, 'europe/vienna', 'Europe/Vienna'],
  ['a time zone', timeZone, 'UTC', 'UTC'],
  ['a share', percent(50), '12.5 %', 12.5],
  ['a share', percent(50), '0%', 0],
  ['names', names, 'ops, on-call.2', ['ops', 'on-call.2']],
  ['mail', mailAddresses, 'a@b.test, c+d@e.test', ['a@b.test', 'c+d@e.test']],
  ['one mail', mailAddress, 'a@b.test', 'a@b.test'],
  ['a web address', webAddress, 'https://e.test/x?y=1', 'https://e.test/x?y=1'],
  ['an endpoint', address, '127.0.0.1:9736', { host: '127.0.0.1', port: 9736 }],
  ['an endpoint', address, '[::1]:1', { host: '::1', port: 1 }],
  [
    'windows',
    windows,
    'Mon-Fri 08:00-18:00, sunday 22:00-6:30',
    [
      { days: workdays, from: 480, to: 1080 },
      { days: [0], from: 1320, to: 390 },
    ],
  ],
  ['windows', windows, '00:00-24:00', [{ days: everyDay, from: 0, to: 1440 }]],
  ['windows', windows, 'Sat-Mon 01:00-02:00', [{ days: [6, 0, 1], from: 60, to: 120 }]],
  [
    'rates',
    rates,
    '20M Mon-Fri 08:00-18:00, 1G',
    [{ value: 20 * 2 ** 20, window: { days: workdays, from: 480, to: 1080 } }, { value: 2 ** 30 }],
  ],
  ['a digest', digestTime, 'daily 7:05', { minute: 425 }],
  ['a digest', digestTime, 'Weekly sun 23:59', { day: 0, minute: 1439 }],
  [
    'selectors',
    selectors,
    'ALL, policy, tag: gold, name:web*, cluster:c 1, REGEX:^db\\d$',
    [
      { by: 'all' },
      { by: 'policy' },
      { by: 'tag', tag: 'gold' },
      { by: 'name', pattern: 'web*' },
      { by: 'cluster', cluster: 'c 1' },
      { by: 'regex', pattern: '^db\\d$' },
    ],
  ],
  ['disks', diskPatterns, 'swap*, db1/tmp', ['swap*', 'db1/tmp']],
])('reads %s, and writes it so that it is read as the same: %#', (_, kind, text, value) => {
  expect(read(kind, text)).toEqual(value)
  expect(read(kind, kind.schema.encode(value))).toEqual(value)
})

test.each<[string, Kind<unknown>, string, RegExp]>([
  ['two words for three', pairs, 'data dr1', /"data dr1" is not three words/],
  ['four words', pairs, 'a b c d', /is not three words/],
  ['a volume that is an option', pairs, '--x dr1 c', /volume/],
  ['a host that is an option', pairs, 'a -oProxyCommand=id c', /host/],
  ['a user that is none', pairs, 'a $(id)@dr1 c', /user/],
  ['an empty list', pairs, ' , ,', /^is an empty list$/],
  ['four fields', cron, '* * * *', /is not a schedule/],
  ['a year', cron, '0 0 2 1 1 * 2030', /is not a schedule/],
  ['a day that never comes', cron, '0 0 31 2 *', /"0 0 31 2 \*" never comes/],
  ['words', cron, 'every day', /"every day" is not a schedule/],
  ['the start of the machine', cron, '@reboot', /is not a schedule/],
  ['a date', cron, '2030-01-01T00:00:00', /is not a schedule/],
  ['a zone that there is not', timeZone, 'Europe/Wien', /"Europe\/Wien" is not a time zone/],
  ['a path for a zone', timeZone, '../../etc/passwd', /is not a time zone/],
  ['a number for a share', percent(50), '10', /"10" is not a percentage/],
  ['too large a share', percent(50), '51%', /"51%" is too large/],
  ['a name with a space', names, 'a b', /"a b" is not a name/],
  ['no address', mailAddresses, 'ops', /"ops" is not a mail address/],
  ['an address with a header after it', mailAddresses, 'a@b.test\r\nBcc: c@d.test', /is not a mail address/],
  ['a name before the address', mailAddress, 'Ops <a@b.test>', /is not one mail address/],
  ['two addresses', mailAddress, 'a@b.test, c@d.test', /is not one mail address/],
  ['another protocol', webAddress, 'file:///etc/passwd', /^is neither http nor https$/],
  ['a password in an address', webAddress, 'https://me:hunter2@e.test/', /^holds a user or password$/],
  ['no port', address, 'localhost', /"localhost" is not a host with its port/],
  ['a port that there is not', address, 'a:65536', /is not a host with its port/],
  ['an address of IPv6 without brackets', address, '::1:80', /is not a host with its port/],
  ['a time that there is not', windows, '08:60-09:00', /is not a part of the week/],
  ['a day that there is not', windows, 'Foo 08:00-09:00', /is not a part of the week/],
  ['half a day name', windows, 'M 08:00-09:00', /is not a part of the week/],
  ['a window without length', windows, '08:00-08:00', /has no length/],
  ['a window from the end of the day', windows, '24:00-01:00', /has no length/],
  ['a rate without an amount', rates, 'Mon 08:00-09:00', /"Mon" is not an amount of data/],
  ['a rate of nothing', rates, '0', /"0" is not an amount of data/],
  ['a day for a daily digest', digestTime, 'daily Mon 07:00', /names a day although it is daily/],
  ['a weekly digest without a day', digestTime, 'weekly 07:00', /names no day/],
  ['a digest at the end of the day', digestTime, 'daily 24:00', /is not a time of a digest/],
  ['a selector without a kind', selectors, 'web*', /"web\*" picks nothing/],
  ['a tag without a name', selectors, 'tag:', /"tag:" picks nothing/],
  ['an expression that is none', selectors, 'regex:(', /"\(" is not an expression/],
])('refuses %s', (_, kind, text, expected) => {
  expect(read(kind, text)).toMatch(expected)
})

test('shows no part of a web address, which may hold a secret', () => {
  fc.assert(
    fc.property(fc.constantFrom('ftp://e.test/', 'https://a:b@e.test/', 'nowhere/'), (start) => {
      expect(read(webAddress, `${start}hunter2`)).not.toContain('hunter2')
    }),
  )
})

test('writes any windows so that they are read as the same', () => {
  const days = fc
    .tuple(fc.nat({ max: 6 }), fc.integer({ min: 1, max: 7 }))
    .map(([first, many]) =>
      many === 7 ? everyDay : Array.from({ length: many }, (_, day) => (first + day) % 7),
    )
  const window = fc
    .record({ days, from: fc.nat({ max: 1439 }), to: fc.nat({ max: 1440 }) })
    .filter(({ from, to }) => from !== to)
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 5 }), (drawn) => {
      expect(read(windows, windows.schema.encode(drawn))).toEqual(drawn)
    }),
  )
})

test.each([
  ['localhost', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
])('knows whether other machines reach %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})
