import { inspect } from 'node:util'
import { HttpResponse } from 'msw'
import { EngineError } from '../../src/model/errors.ts'
import { createHttp } from '../../src/ovirt/http.ts'
import { config, noSignal } from './fake-engine.ts'

export const page = '<html><head><title>Service Unavailable</title></head><body><h1>x</h1></body></html>'
export const unavailable = () => HttpResponse.html(page, { status: 503 })
export const fine = () => HttpResponse.json({ vm: [] })

export async function errorOf(act: Promise<unknown>): Promise<EngineError> {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof EngineError) return error
  throw new Error(`expected an EngineError, got ${inspect(error)}`)
}

export const list = (client = createHttp(config())) => client.get('/vms', {}, 'list the VMs', noSignal)
export const remove = (client = createHttp(config())) =>
  client.act({ method: 'DELETE', path: '/vms/1', tag: 'vmb-1', doing: 'remove VM 1' }, noSignal)
