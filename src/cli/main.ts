#!/usr/bin/env node
import { nodeEnvironment } from '../env/node.ts'
import { runCommand } from './command.ts'

/** The `millrace` command. */
runCommand(nodeEnvironment(), process.argv.slice(2))
