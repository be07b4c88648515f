import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import engineService from '@pulumi/pulumi/proto/engine_grpc_pb.js'
import engineMessages, { type LogRequest } from '@pulumi/pulumi/proto/engine_pb.js'
import monitorService from '@pulumi/pulumi/proto/resource_grpc_pb.js'
import messages, {
  type RegisterResourceOutputsRequest,
  type RegisterResourceRequest,
  type ResourceInvokeRequest,
} from '@pulumi/pulumi/proto/resource_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import structs, { type JavaScriptValue } from 'google-protobuf/google/protobuf/struct_pb.js'
import type { Deployment } from './deployment.ts'
import type { Goal } from './goal.ts'
import type { Properties } from './properties.ts'

/** The two services of Pulumi's protocol that a running program calls. */
export interface Engine {
  /** The address of both services on loopback, as host:port. */
  readonly address: string
  /** Errors that the program or a provider reported, in order. */
  readonly errors: readonly string[]
  close(): void
}

/** Secrets keep their mark in transit. Everything else is plain JSON, without resource references or output values. */
const FEATURES = [messages.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_SECRETS]

/** Far more than the program sends. The SDK's own limit is 400 MB. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

export async function serveEngine(deployment: Deployment): Promise<Engine> {
  const errors: string[] = []
  const server = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES })

  /** Saves the message of a refusal, which ends the program, and sends the SDK a plain failure. */
  function handle<Request, Reply>(reply: (request: Request) => Reply): handleUnaryCall<Request, Reply> {
    return (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>) => {
      try {
        callback(null, reply(call.request))
      } catch (cause) {
        errors.push(cause instanceof Error ? cause.message : String(cause))
        callback({ code: status.INVALID_ARGUMENT, details: 'refused' })
      }
    }
  }

  function register(request: RegisterResourceRequest) {
    const resource = named(request.getName(), () => deployment.register(toGoal(request)))
    const response = new messages.RegisterResourceResponse()
    response.setUrn(resource.urn)
    response.setId(resource.id)
    response.setObject(toStruct(resource.outputs))
    return response
  }

  function registerOutputs(request: RegisterResourceOutputsRequest) {
    deployment.setOutputs(request.getUrn(), toProperties(request.getOutputs()))
    return new empty.Empty()
  }

  function invoke(request: ResourceInvokeRequest) {
    const response = new messages.ResourceInvokeResponse()
    response.setReturn(toStruct(deployment.invoke(request.getTok(), toProperties(request.getArgs()))))
    return response
  }

  function log(request: LogRequest) {
    if (request.getSeverity() === engineMessages.LogSeverity.ERROR) errors.push(request.getMessage())
    return new empty.Empty()
  }

  server.addService(monitorService.ResourceMonitorService, {
    getDeploymentInfo: handle(() => {
      const info = new messages.DeploymentInfo()
      info.setSupportedfeaturesList(FEATURES)
      return info
    }),
    supportsFeature: handle(() => new messages.SupportsFeatureResponse()),
    registerResource: handle(register),
    registerResourceOutputs: handle(registerOutputs),
    invoke: handle(invoke),
    signalAndWaitForShutdown: handle(() => new empty.Empty()),
  })
  server.addService(engineService.EngineService, {
    log: handle(log),
    getRootResource: handle(() => new engineMessages.GetRootResourceResponse()),
    setRootResource: handle(() => new engineMessages.SetRootResourceResponse()),
    requirePulumiVersion: handle(() => new engineMessages.RequirePulumiVersionResponse()),
  })
  const port = await listen(server)
  return { address: `127.0.0.1:${port}`, errors, close: () => server.forceShutdown() }
}

function toGoal(request: RegisterResourceRequest): Goal {
  return {
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent(),
    custom: request.getCustom(),
    inputs: toProperties(request.getObject()),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    deleteBeforeReplace: request.getDeletebeforereplace(),
    dependencies: request.getDependenciesList().toSorted(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: request.getAliasurnsList(),
  }
}

function named<T>(name: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function toProperties(struct: structs.Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {}
}

export function toStruct(properties: Properties): structs.Struct {
  // A round trip through JSON drops undefined values, which a Struct cannot hold.
  const plain: Record<string, JavaScriptValue> = JSON.parse(JSON.stringify(properties))
  return structs.Struct.fromJavaScript(plain)
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    )
  })
}
