const free = { limit: () => Promise.resolve({ success: true }) }

/**
 * Rate limits that cost nothing. On the platform the binding counts in memory. The local runtime makes an object call for
 * it, which costs more than the rest of a small request.
 */
export const FREE_LIMITS = { AUTH_LIMIT: free, FAILURE_LIMIT: free, SYNC_LIMIT: free }
