/**
 * The requested value, or the fault that refuses it. Crosses the Durable Object boundary whole, unlike a thrown error.
 */
export type Result<T, F> = { readonly ok: true; readonly value: T } | Refused<F>

export interface Refused<F> {
  readonly ok: false
  readonly fault: F
}

export function accepted<T>(value: T): Result<T, never> {
  return { ok: true, value }
}

export function refused<F>(fault: F): Refused<F> {
  return { ok: false, fault }
}
