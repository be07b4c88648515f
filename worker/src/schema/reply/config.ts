import * as z from 'zod/mini'
import { StoredConfig } from '../stored/config.ts'

/** The reply of `PUT /api/config`: what holds from now on. */
export const ConfigReply = z.extend(StoredConfig, { success: z.literal(true) })
