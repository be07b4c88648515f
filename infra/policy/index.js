// Serves the policies to the engine, for `pulumi preview --policy-pack infra/policy`. The entry is JavaScript, because
// the engine would compile a TypeScript entry and refuse its `.ts` imports, which Node runs itself.
import { PolicyPack } from '@pulumi/policy'
import { POLICIES } from './policies.ts'

new PolicyPack('chronicle-sync', { enforcementLevel: 'mandatory', policies: [...POLICIES] })
