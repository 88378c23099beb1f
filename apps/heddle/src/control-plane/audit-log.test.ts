import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '@heddle/kernel/simulated';
import { AuditLog, firstBroken } from './audit-log.ts';
