import type { Fault } from './fault.ts'

/** What was asked for, or the reason why not. Crosses the Durable Object boundary whole, which a thrown error does not. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault }

export function accepted<T>(value: T): Result<T> {
  return { ok: true, value }
}

export function refused(fault: Fault): Result<never> {
  return { ok: false, fault }
}
