/** Resolves with `reading`, or rejects with the error of `late` once the deadline has passed. */
export function withDeadline<T>(reading: Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms)
    void reading.then(resolve, reject).then(() => clearTimeout(timer))
  })
}
