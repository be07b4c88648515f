/** The ways to decide concurrent writes to a key. The loser is always kept. */
export const POLICIES = ['lww', 'server-wins', 'client-wins', 'merge', 'manual'] as const
export type Policy = (typeof POLICIES)[number]
