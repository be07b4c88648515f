/** How often the platform calls an alarm again after an error, before it drops it for good. */
const RETRIES = 6

/** Calls an alarm's handler as the platform does: again after an error, at most six times, then never again. */
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
