// For `pulumi preview --policy-pack infra/policy`: serves the policies to the engine.
import { PolicyPack } from '@pulumi/policy'
import { POLICIES } from './policies.ts'

new PolicyPack('chronicle-sync', { enforcementLevel: 'mandatory', policies: [...POLICIES] })
