/** The sequence number of a key that nobody wrote yet, and of a cursor before the first change. */
export const NOTHING = 0

/** A version of another epoch, or none of ours: equal to no sequence number, and below every one. */
export const FOREIGN = -1

/** The version of a change: `epoch.seq`, opaque to clients and unique for ever. */
export function formatVersion(epoch: string, seq: number): string {
  return `${epoch}.${seq}`
}

/** Whether a text has the form of a version, of any epoch. */
export function isVersion(text: string): boolean {
  return /^[0-9a-z]{1,13}\.[1-9]\d{0,15}$/.test(text)
}

/** The sequence number of a version of this epoch, `FOREIGN` for anything else. */
export function parseVersion(version: string, epoch: string): number {
  if (!version.startsWith(`${epoch}.`)) return FOREIGN
  const digits = version.slice(epoch.length + 1)
  return /^[1-9]\d{0,15}$/.test(digits) ? Number(digits) : FOREIGN
}
