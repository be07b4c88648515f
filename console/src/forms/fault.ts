import type { Refusal } from '../service/request.ts'

/** A fault in a field of a request. The detail of the refusal begins with the path of the field. */
export interface Fault {
  readonly path: string
  readonly words: string
}

const DETAIL = /^([\w.[\]"…-]+): (.+)$/s

/** The field that a refusal is about; undefined if it is about the request as a whole. */
export function faultOf(error: Refusal | undefined): Fault | undefined {
  const [, path, words] = error?.code === 'invalid-request' ? (DETAIL.exec(error.message) ?? []) : []
  return path === undefined || words === undefined ? undefined : { path, words }
}

/** Finds the words of a refusal about a field, or about a part of it. */
export function faultAt(error: Refusal | undefined, field: string): string | undefined {
  const fault = faultOf(error)
  if (fault?.path === field) return fault.words
  const isPart = fault?.path.startsWith(`${field}.`) || fault?.path.startsWith(`${field}[`)
  return fault && isPart ? `${fault.path}: ${fault.words}` : undefined
}
