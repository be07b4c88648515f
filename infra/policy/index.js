// For `pulumi preview --policy-pack infra/policy`: serves the policies to the engine. JavaScript, because the
// engine would have a TypeScript entry compiled and refuse its `.ts` imports; Node reads those itself.
import { PolicyPack } from '@pulumi/policy'
import { POLICIES } from './policies.ts'

new PolicyPack('chronicle-sync', { enforcementLevel: 'mandatory', policies: [...POLICIES] })
