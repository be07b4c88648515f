import * as z from 'zod/mini'
import type { Budget } from '../core/access/budget.ts'
import { POLICIES } from '../core/batch/policy.ts'
import { DEFAULT_CONFIG } from '../core/space/config.ts'
import type { Quota as QuotaName } from '../core/space/quota.ts'
import {
  MAX_POLICIES,
  MAX_QUOTA_BYTES,
  MAX_QUOTA_ENTRIES,
  MAX_REQUESTS_PER_MINUTE,
  MAX_RETENTION_DAYS,
} from '../core/values/limits.ts'
import { IdentityProviders } from './identity.ts'
import { Name } from './name.ts'

/** The KV key of the stack's configuration. */
export const CONFIG_KEY = 'config'

const Days = z.int().check(z.minimum(1), z.maximum(MAX_RETENTION_DAYS))

/** Counted before any of them is looked at: a record has no check of its size that comes first, as an array has. */
const Few = z.transform((policies: unknown, context) => {
  if (typeof policies === 'object' && policies !== null && Object.keys(policies).length > MAX_POLICIES) {
    context.issues.push({ code: 'custom', message: `at most ${MAX_POLICIES} collections`, input: null })
  }
  return policies
})

const Policies = z.pipe(Few, z.record(Name, z.enum(POLICIES)))

const PerMinute = z.int().check(z.minimum(1), z.maximum(MAX_REQUESTS_PER_MINUTE))

const RATES = DEFAULT_CONFIG.requestsPerMinute

/** Requests a minute of each budget of a space. */
export const RequestsPerMinute = z.strictObject({
  client: z._default(PerMinute, RATES.client),
  credential: z._default(PerMinute, RATES.credential),
  space: z._default(PerMinute, RATES.space),
} satisfies Record<Budget, z.ZodMiniType>)

const QUOTA = DEFAULT_CONFIG.quota

/** How much a space may hold. */
export const Quota = z.strictObject({
  entries: z._default(z.int().check(z.minimum(1), z.maximum(MAX_QUOTA_ENTRIES)), QUOTA.entries),
  bytes: z._default(z.int().check(z.minimum(1), z.maximum(MAX_QUOTA_BYTES)), QUOTA.bytes),
} satisfies Record<QuotaName, z.ZodMiniType>)

/** The configuration of a stack, as KV keeps it and `GET /api/config` shows it. */
export const StoredConfig = z.strictObject({
  revision: z.int().check(z.minimum(0)),
  defaultPolicy: z.enum(POLICIES),
  policies: Policies,
  historyDays: Days,
  tombstoneDays: Days,
  // Absent in what was stored before there were any.
  identityProviders: z._default(IdentityProviders, []),
  requestsPerMinute: z._default(RequestsPerMinute, RATES),
  quota: z._default(Quota, QUOTA),
})

/** The body of `PUT /api/config`: the whole of it, made on `revision`. What is left out is as if never configured. */
export const ConfigRequest = z.strictObject({
  revision: z.int().check(z.minimum(0)),
  defaultPolicy: z._default(z.enum(POLICIES), DEFAULT_CONFIG.defaultPolicy),
  policies: z._default(Policies, {}),
  historyDays: z._default(Days, DEFAULT_CONFIG.historyDays),
  tombstoneDays: z._default(Days, DEFAULT_CONFIG.tombstoneDays),
  identityProviders: z._default(IdentityProviders, []),
  requestsPerMinute: z._default(RequestsPerMinute, RATES),
  quota: z._default(Quota, QUOTA),
})
