import type { Pass } from '../store/pass-rows.ts'

/** The progress of a pass after a step. */
export interface PassProgress {
  readonly pass: Pass
  readonly isAtEnd: boolean
}

export function progressOf(pass: Pass, after: number, unreadable: number): PassProgress {
  return { pass: { ...pass, after, unreadable: pass.unreadable + unreadable }, isAtEnd: after >= pass.to }
}
