/** Resolves with `reading`, or rejects with the error of `late` once the deadline has passed. */
export async function withDeadline<T>(reading: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(() => deadline.reject(late()), ms)
  try {
    return await Promise.race([reading, deadline.promise])
  } finally {
    clearTimeout(timer)
  }
}
