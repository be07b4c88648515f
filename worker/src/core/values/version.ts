import type { Json } from './json.ts'

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

/** A version with its content: what one sequence number stands for, for ever. */
export interface Version {
  readonly seq: number
  /** The version it replaced, or lost to. */
  readonly previous: number
  readonly key: string
  readonly by: string
  /** The time as its client gave it. */
  readonly timestamp: number
  /** Effective time, ms. */
  readonly at: number
  /** By how much the space raised it, ms. */
  readonly lift: number
  readonly deleted: boolean
  readonly value: Json | undefined
  /** The JSON pointers of what both sides changed, where a merge came of it, or it lost in one. */
  readonly paths: readonly string[]
}

/** Whether the content of a version is at hand: of a large one it may not be kept. Only a deletion can have none. */
export function hasContent({ deleted, value }: Version): boolean {
  return deleted || value !== undefined
}
