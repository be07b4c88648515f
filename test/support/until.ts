import { setTimeout } from 'node:timers/promises'

/** Waits until a condition holds. */
export async function until(holds: () => unknown, withinMs = 15_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${holds}`)
    await setTimeout(20)
  }
}
