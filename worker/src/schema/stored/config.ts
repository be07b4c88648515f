import * as z from 'zod/mini'
import type { Budget } from '../../core/access/budget.ts'
import { POLICIES } from '../../core/batch/policy.ts'
import { DEFAULT_CONFIG } from '../../core/space/config.ts'
import type { Quota as QuotaName } from '../../core/space/quota.ts'
import { MAX_REQUESTS_PER_MINUTE } from '../../core/values/access-limits.ts'
import {
  MAX_POLICIES,
  MAX_QUOTA_BYTES,
  MAX_QUOTA_ENTRIES,
  MAX_RETENTION_DAYS,
} from '../../core/values/limits.ts'
import { Name } from '../atoms.ts'
import type { Words } from '../words.ts'
import { IdentityProviders } from './identity.ts'

/** The KV key of the stack's configuration. */
export const CONFIG_KEY = 'config'

const Days = z.int().check(z.minimum(1), z.maximum(MAX_RETENTION_DAYS))

/** Counts the policies before it looks at any. zod checks the size of an array first, but not of a record. */
const PolicyCount = z.transform((policies: unknown, context) => {
  if (typeof policies === 'object' && policies !== null && Object.keys(policies).length > MAX_POLICIES) {
    context.issues.push({ code: 'custom', message: `at most ${MAX_POLICIES} collections`, input: null })
  }
  return policies
})

/** The policy of each collection. */
const Policies = z.pipe(PolicyCount, z.record(Name, z.enum(POLICIES)))

const PerMinute = z.int().check(z.minimum(1), z.maximum(MAX_REQUESTS_PER_MINUTE))

const RATES = DEFAULT_CONFIG.requestsPerMinute

/** The rate limit of each budget of a space, in requests per minute. */
export const RequestsPerMinute = z.strictObject({
  client: z._default(PerMinute, RATES.client),
  credential: z._default(PerMinute, RATES.credential),
  space: z._default(PerMinute, RATES.space),
} satisfies Record<Budget, z.ZodMiniType>)

export const RATE_WORDS: Words<typeof RequestsPerMinute> = {
  description: 'The rate limits of a space, in requests per minute.',
  fields: {
    client: 'For each client of a credential.',
    credential: 'For each API token, or subject of an identity provider.',
    space: 'For the space as a whole.',
  },
}

const QUOTA = DEFAULT_CONFIG.quota

/** The quotas of a space. */
export const Quota = z.strictObject({
  entries: z._default(z.int().check(z.minimum(1), z.maximum(MAX_QUOTA_ENTRIES)), QUOTA.entries),
  bytes: z._default(z.int().check(z.minimum(1), z.maximum(MAX_QUOTA_BYTES)), QUOTA.bytes),
} satisfies Record<QuotaName, z.ZodMiniType>)

export const QUOTA_WORDS: Words<typeof Quota> = {
  description: 'The quotas of a space.',
  fields: {
    entries: 'Live entries.',
    bytes: 'Bytes of storage, including history, losers and deletions.',
  },
}

/** The configuration of a stack, in KV and in the reply of `GET /api/config`. */
export const StoredConfig = z.strictObject({
  revision: z.int().check(z.minimum(0)),
  defaultPolicy: z.enum(POLICIES),
  policies: Policies,
  historyDays: Days,
  tombstoneDays: Days,
  // Absent in configurations that were stored before the field existed.
  identityProviders: z._default(IdentityProviders, []),
  requestsPerMinute: z._default(RequestsPerMinute, RATES),
  quota: z._default(Quota, QUOTA),
})

export const CONFIG_WORDS: Words<typeof StoredConfig> = {
  description: 'The configuration of all spaces of a stack.',
  fields: {
    revision: 'Grows with every change.',
    defaultPolicy: 'The conflict policy of all other collections.',
    policies: 'The conflict policy of each collection.',
    historyDays: 'Days that replaced versions, losers and resolved conflicts stay readable.',
    tombstoneDays: 'Days that deletions stay in the feed. A device away for longer starts over.',
    identityProviders: 'Identity providers whose tokens open sessions, beside minted tokens.',
    requestsPerMinute: 'The rate limits of each space.',
    quota: 'The quotas of each space.',
  },
}
