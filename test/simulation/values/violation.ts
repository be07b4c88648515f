/** The invariants that histories are checked against: docs/spec.md says them in words. */
export const INVARIANTS = [
  'IN1',
  'IN2',
  'IN3',
  'IN4',
  'IN5',
  'IN6',
  'IN7',
  'IN8',
  'IN9',
  'IN10',
  'SP1',
] as const
export type Invariant = (typeof INVARIANTS)[number]

/** An invariant that does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: Invariant

  constructor(invariant: Invariant, message: string) {
    super(`[${invariant}] ${message}`)
    this.invariant = invariant
  }
}

/** Throws a violation unless something holds, and counts that it was asked. */
export class Verdicts {
  readonly asked = new Map<Invariant, number>()

  expect(holds: boolean, invariant: Invariant, message: () => string): void {
    this.asked.set(invariant, (this.asked.get(invariant) ?? 0) + 1)
    if (!holds) throw new Violation(invariant, message())
  }
}
