import * as z from 'zod/mini'
import { StoredConfig } from '../stored/config.ts'
import { named } from './described.ts'

/** The reply of `PUT /api/config`. */
export const ConfigReply = named(
  'The new configuration.',
  z.extend(StoredConfig, { success: z.literal(true) }),
)
