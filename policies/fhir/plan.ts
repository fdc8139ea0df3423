import type { Asked, Plan, Planner } from './asked.ts';
import { INTERACTIONS, type Interaction } from './interactions.ts';
import {
  compartmentSearch,
  everything,
  historyInstance,
  openOnly,
  read,
  search,
  searchPost,
  searchSystem,
} from './plan-read.ts';
import { conditional, create, patch, remove, update } from './plan-write.ts';

/** How each interaction is treated where a scope is not for everything. */
const PLANNERS: Readonly<Record<(typeof INTERACTIONS)[number], Planner>> = Object.freeze({
  read,
  vread: read,
  'history-instance': historyInstance,
  'history-type': openOnly,
  'history-system': openOnly,
  'search-type': search,
  'search-post': searchPost,
  'search-system': searchSystem,
  'compartment-search': compartmentSearch,
  create,
  update,
  'update-conditional': conditional,
  patch,
  'patch-conditional': conditional,
  delete: remove,
  'delete-conditional': conditional,
  batch: openOnly,
  capabilities: openOnly,
  graphql: openOnly,
});

export function planOf(asked: Asked): Plan {
  return plannerOf(asked.rule.interaction)(asked);
}

function plannerOf(interaction: Interaction): Planner {
  const known = INTERACTIONS.find((name) => name === interaction);
  if (known !== undefined) return PLANNERS[known];
  return interaction === 'operation:everything' ? everything : openOnly;
}
