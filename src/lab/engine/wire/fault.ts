/** A refusal that becomes a fault of the API; on action URLs it is nested in an action. */
export class ApiFault extends Error {
  readonly status: number
  readonly reason: string
  readonly detail: string | undefined

  constructor(status: number, reason: string, detail?: string) {
    super(detail ?? reason)
    this.name = 'ApiFault'
    this.status = status
    this.reason = reason
    this.detail = detail
  }
}

/** A command's validation failed. The engine prints a Java list, hence the square brackets. */
export function refused(status: 400 | 409 | 500, message: string): ApiFault {
  return new ApiFault(status, 'Operation Failed', `[${message}]`)
}

/** 403 as for a missing right. */
export function forbidden(): ApiFault {
  return new ApiFault(403, 'Operation Failed', '[User is not authorized to perform this action.]')
}

/** A look-up other than a plain GET found nothing. */
export function notFound(what: string): ApiFault {
  return new ApiFault(404, 'Operation Failed', `Entity not found: ${what}`)
}

/** A mandatory field is missing: `Snapshot [description] required for add`. */
export function incomplete(type: string, fields: readonly string[], method: string): ApiFault {
  return new ApiFault(400, 'Incomplete parameters', `${type} [${fields.join(', ')}] required for ${method}`)
}

/** A plain GET of an entity that is not there: 404 with an empty body. */
export class Missing extends Error {}

/** The body cannot be read as the type the method takes. */
export class Malformed extends Error {}

/** The request's or the wanted media type is not served. */
export class Unsupported extends Error {
  readonly status: 406 | 415

  constructor(status: 406 | 415) {
    super(`media type, ${status}`)
    this.status = status
  }
}
