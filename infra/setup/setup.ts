import type { CloudflareApi } from '../doctor/cloudflare-api.ts'
import type { Person } from './person.ts'

/** The material of the steps of a first deployment. */
export interface Setup {
  readonly root: string
  readonly stack: string
  readonly env: NodeJS.ProcessEnv
  readonly person: Person
  /** Undefined if the account is unknown. */
  readonly account: { readonly api: CloudflareApi; readonly id: string } | undefined
}

/** Variables that the commands after a step need. */
export type Variables = Readonly<Record<string, string>>
