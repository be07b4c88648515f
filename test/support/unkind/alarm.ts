/** Retries of an alarm by the platform before it is dropped for good. */
const RETRIES = 6

/** Calls an alarm's handler as the platform does: at most six retries after an error, then never again. */
export async function deliver(handler: () => Promise<void>): Promise<'delivered' | 'dropped'> {
  for (let call = 0; call <= RETRIES; call++) {
    const failed = await handler().then(
      () => false,
      () => true,
    )
    if (!failed) return 'delivered'
  }
  return 'dropped'
}
