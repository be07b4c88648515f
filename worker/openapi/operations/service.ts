import { NOW } from './examples.ts'
import type { Operations } from './operation.ts'

export const SERVICE = {
  'GET /api/health': {
    id: 'getHealth',
    tag: 'Service',
    access: 'anyone',
    summary: 'Check that the service runs',
    description: 'Needs no credential and wakes no space.',
    reply: {
      status: 200,
      schema: 'HealthReply',
      example: { status: 'ok', environment: 'production', version: '0.1.0+6f1c2b3a4d5e', serverTime: NOW },
    },
    faults: [],
  },
  'GET /api/openapi.json': {
    id: 'getDescription',
    tag: 'Service',
    access: 'anyone',
    conditional: true,
    summary: 'This document',
    description: 'OpenAPI 3.1. It describes every route of the version that serves it.',
    reply: {
      status: 200,
      schema: 'OpenApi',
      example: { openapi: '3.1.1', info: {}, paths: {}, components: {} },
    },
    faults: [],
  },
} as const satisfies Partial<Operations>
