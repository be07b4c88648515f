/** How concurrent writes to a key are settled; what loses is always kept. */
export const POLICIES = ['lww', 'server-wins', 'client-wins', 'merge', 'manual'] as const
export type Policy = (typeof POLICIES)[number]
