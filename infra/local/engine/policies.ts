import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { credentials } from '@grpc/grpc-js'
import analyzerService from '@pulumi/pulumi/proto/analyzer_grpc_pb.js'
import messages, {
  type AnalyzeDiagnostic,
  type AnalyzeResponse,
  type AnalyzerInfo,
} from '@pulumi/pulumi/proto/analyzer_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import { COMPILE_CACHE } from '../../cli/root.ts'
import { toStruct } from './engine.ts'
import type { Resource } from './state.ts'

/** A policy that a stack breaks, or that cannot be decided yet. */
export interface Violation {
  readonly policy: string
  readonly message: string
  /** False if only a run can decide the policy, because some values are unknown in a preview. */
  readonly mandatory: boolean
}

/** The findings of a policy pack: its policies by name, and those that the stack breaks. */
export interface Judgement {
  readonly policies: readonly string[]
  readonly violations: readonly Violation[]
}

/** A policy pack that answers at this address until it is ended. */
export interface ServedPack {
  readonly address: string
  end(): void
}

/** Judges all resources at once by the policy pack of the root, as the engine does. */
export async function checkPolicies(root: string, resources: readonly Resource[]): Promise<Judgement> {
  return judge(await servePack(root), resources)
}

/** Judges all resources at once by a pack, and ends the pack. */
export async function judge(pack: ServedPack, resources: readonly Resource[]): Promise<Judgement> {
  try {
    const { info, response } = await analyze(pack.address, resources)
    const policies = info.getPoliciesList().map((policy) => policy.getName())
    return { policies, violations: response.getDiagnosticsList().map(toViolation) }
  } finally {
    pack.end()
  }
}

/** Starts the policy pack as the engine does: in a separate process. */
async function servePack(root: string): Promise<ServedPack> {
  const pack = spawn(process.execPath, ['index.js'], {
    cwd: join(root, 'infra/policy'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, COMPILE_CACHE) },
  })
  const kill = () => pack.kill()
  process.on('exit', kill)
  const end = () => {
    process.off('exit', kill)
    kill()
  }
  try {
    const [port] = await Promise.race([once(createInterface(pack.stdout), 'line'), failed(pack)])
    return { address: `127.0.0.1:${port}`, end }
  } catch (cause) {
    end()
    throw cause
  }
}

function toViolation(diagnostic: AnalyzeDiagnostic): Violation {
  return {
    policy: diagnostic.getPolicyname(),
    message: lastLine(diagnostic.getMessage()),
    mandatory: diagnostic.getEnforcementlevel() === messages.EnforcementLevel.MANDATORY,
  }
}

/** Drops the description of the policy, which precedes the violation. */
function lastLine(text: string): string {
  return text.split('\n').at(-1) ?? text
}

async function failed(pack: ReturnType<typeof spawn>): Promise<never> {
  const [code] = await once(pack, 'exit')
  throw new Error(`the policy pack ended with code ${code}`)
}

interface Answers {
  readonly info: AnalyzerInfo
  readonly response: AnalyzeResponse
}

async function analyze(address: string, resources: readonly Resource[]): Promise<Answers> {
  const client = new analyzerService.AnalyzerClient(address, credentials.createInsecure())
  const request = new messages.AnalyzeStackRequest()
  request.setResourcesList(resources.map(toAnalyzed))
  try {
    const info = await new Promise<AnalyzerInfo>((resolve, reject) => {
      client.getAnalyzerInfo(new empty.Empty(), (error, found) => (error ? reject(error) : resolve(found)))
    })
    const response = await new Promise<AnalyzeResponse>((resolve, reject) => {
      client.analyzeStack(request, (error, found) => (error ? reject(error) : resolve(found)))
    })
    return { info, response }
  } finally {
    client.close()
  }
}

function toAnalyzed({ type, name, urn, parent, protect, dependencies, outputs }: Resource) {
  const resource = new messages.AnalyzerResource()
  const options = new messages.AnalyzerResourceOptions()
  options.setProtect(protect)
  resource.setType(type)
  resource.setName(name)
  resource.setUrn(urn)
  resource.setParent(parent)
  resource.setOptions(options)
  resource.setDependenciesList([...dependencies])
  resource.setProperties(toStruct(outputs))
  return resource
}
