import { Ajv2020 } from 'ajv/dist/2020.js'
import schema from '../../src/run/report.schema.json' with { type: 'json' }

const validate = new Ajv2020({ allErrors: true, strictRequired: false, strictTypes: false }).compile(schema)

/** What the schema of `--json` has against a document; empty when it is as promised. */
export function flawsIn(document: unknown): string[] {
  validate(document)
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`)
}
