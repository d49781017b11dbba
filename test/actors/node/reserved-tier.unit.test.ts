/** Cgroups of the system, held to what is reserved for them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
