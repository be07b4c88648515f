// The Pulumi program of this repository. Other programs use the same component from the package @chronicle-sync/pulumi.
import { getProject, getStack } from '@pulumi/pulumi'
import { ChronicleSync } from './component/chronicle-sync.ts'
import { buildArtifact } from './program/artifact.ts'
import { continueFormerNames } from './program/former-names.ts'
import { readSettings } from './program/settings.ts'

const root = `${import.meta.dirname}/..`
const settings = readSettings(getProject(), getStack())
const artifact = await buildArtifact(root)
const { name } = artifact.declaration
const sync = new ChronicleSync(
  name,
  { ...settings, artifact },
  { transformations: [continueFormerNames(name)] },
)

export const { url, liveUrl, scriptName, version, namespaceId, adminToken, bindings, assets } = sync
