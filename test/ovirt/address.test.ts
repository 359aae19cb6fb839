import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/model/errors.ts'
import { addressOf } from '../../src/ovirt/address.ts'

describe('the address of an engine', () => {
  it.each([
    ['https://engine.test', 'https://engine.test'],
    ['https://engine.test/', 'https://engine.test'],
    ['https://engine.test/ovirt-engine', 'https://engine.test'],
    ['https://engine.test/ovirt-engine/api', 'https://engine.test'],
    ['https://engine.test/ovirt-engine/api/', 'https://engine.test'],
    ['https://engine.test/ovirt-engine/api/v4', 'https://engine.test'],
    ['https://engine.test:8443/ovirt-engine/api', 'https://engine.test:8443'],
    ['https://[fd00::7]:8443', 'https://[fd00::7]:8443'],
    ['HTTPS://Engine.Test', 'https://engine.test'],
  ])('may be written %s', (server, origin) => {
    expect(addressOf(server, true)).toEqual({
      origin,
      api: `${origin}/ovirt-engine/api`,
      signOn: `${origin}/ovirt-engine/sso/oauth/token`,
      signOff: `${origin}/ovirt-engine/services/sso-logout`,
      encrypted: true,
    })
  })

  it.each([
    ['engine.test', 'not a web address'],
    ['ftp://engine.test', 'not a web address'],
    ['', 'not a web address'],
    [`https://${'engineTest'.repeat(1700)}`, 'not a web address'],
    ['https://engine.test/ui', 'does not end in'],
    ['https://engine.test/ovirt-engine/api?x=1', 'does not end in'],
    ['https://admin:secret@engine.test', 'holds a user or password'],
    ['http://engine.test', 'in clear text'],
  ])('is refused when written %s', (server, why) => {
    expect(() => addressOf(server, true)).toThrow(UsageError)
    expect(() => addressOf(server, true)).toThrow(why)
  })

  it('does not repeat a password that stands in it', () => {
    for (const host of ['engine.test', 'engine.test:99999', 'engine.test/ui'])
      expect(() => addressOf(`https://admin:secret@${host}`, true)).toThrow(/^(?!.*secret)/)
  })

  it.each(['http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:80'])(
    'may be plain on this machine: %s',
    (server) => {
      expect(addressOf(server, true).encrypted).toBe(false)
    },
  )

  it('may be plain elsewhere only where TLS was given up by name', () => {
    expect(addressOf('http://engine.test', false).encrypted).toBe(false)
  })
})
