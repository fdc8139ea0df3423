import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { Fault, PointedFault } from '../contracts/errors.ts';
import type { IssuerProcessSettings } from '../contracts/issuer-settings.ts';
import type { PolicyCasesDocument } from '../contracts/policy-cases.ts';
import type { CheckerSettings, GatewaySettings, PolicyDocument } from '../contracts/settings.ts';
import { audienceFaults } from './audiences.ts';
import { checkerOf } from './checker.ts';
import { FaultList, fileFault, refuseFaults } from './fault-list.ts';
import { describeProblem, type FileAccess, realFiles } from './files.ts';
import { deepFreeze, FrozenMap } from './freeze.ts';
import { gatewayOf, knownOf } from './gateway.ts';
import { issuerOf } from './issuer.ts';
import { faultsOf, remember } from './origins.ts';
import { policyOf } from './policy.ts';
import { policyCasesOf } from './policy-cases.ts';
import type { Surroundings } from './references.ts';
import { CHECKER_SCHEMA } from './shape/checker.ts';
import { GATEWAY_SCHEMA } from './shape/gateway.ts';
import { ISSUER_SCHEMA } from './shape/issuer.ts';
import { judgeOf } from './shape/judge.ts';
import { POLICY_SCHEMA } from './shape/policy.ts';
import { POLICY_CASES_SCHEMA } from './shape/policy-cases.ts';
import {
  readGatewaySources,
  readPolicySource,
  readSource,
  type SourceFile,
  type Sources,
} from './sources.ts';
import { assemblies, folderFormFaults, type MainSettings, tenantsOf } from './tenant-assembly.ts';
import { View } from './view.ts';
import { readYaml, YAML_LIMIT, type YamlText } from './yaml-text.ts';

/**
 * Further rules for a policy, which only the part that compiles policies knows. Called for documents
 * without fault; what it finds is reported together with everything else.
 * @param hideDeadlineMs the gateway's `hiding.deadline`
 */
export type PolicyRules = (document: PolicyDocument, hideDeadlineMs: number) => readonly PointedFault[];

export interface LoadOptions {
  readonly files?: FileAccess;
  /** Wall-clock milliseconds, to judge certificates by. */
  readonly now?: number;
  /** Cores this process may use. */
  readonly cores?: number;
  readonly policyRules?: PolicyRules;
}

const judgeGateway = judgeOf(GATEWAY_SCHEMA, true);
const judgeChecker = judgeOf(CHECKER_SCHEMA, true);
const judgeIssuer = judgeOf(ISSUER_SCHEMA, true);
const judgeCases = judgeOf(POLICY_CASES_SCHEMA, false);
// Whoever compiles policies fills in their defaults, since those depend on the rest of the route.
const judgePolicy = judgeOf(POLICY_SCHEMA, false);

/** `hiding.deadline` for policies that are looked at without their gateway, milliseconds. */
const LONE_DEADLINE = 250;

/**
 * Settings of the gateway process, whole and frozen.
 * @throws ConfigurationError with every fault of the file, its policies, and the files they refer to
 */
export function loadGatewaySettings(file: string, options: LoadOptions = {}): GatewaySettings {
  return settingsFrom(readGatewaySources(file, options.files), options);
}

/**
 * The same from sources read earlier, perhaps by another process. Secrets, keys and certificates are read anew.
 * @param former settings from which is kept, the very same objects, what was made of the very same sources: all but
 *   the tenants where only those differ, and each tenant whose source did not change
 * @throws ConfigurationError
 */
export function settingsFrom(
  sources: Sources,
  options: LoadOptions = {},
  former?: GatewaySettings,
): GatewaySettings {
  const before = former === undefined ? undefined : assemblies.get(former);
  const faults: Fault[] = [];
  const main = sameMain(before?.sources, sources) ? before?.main : mainOf(sources, options, faults);
  if (main === undefined) {
    refuseFaults([...faults, ...folderFormFaults(sources)]);
    throw new TypeError('settings without faults or content');
  }
  const tenants = tenantsOf({ main, sources, files: options.files ?? realFiles, now: options.now }, before);
  refuseFaults([...tenants.faults, ...faults]);
  const settings: GatewaySettings = deepFreeze({
    ...tenants.main.proper,
    policies: main.policies,
    tenants: tenants.list,
  });
  remember(settings, { shown: sources.gateway.shown, text: main.text, tenant: tenants.originOf });
  refuseFaults(faultsOf(settings, audienceFaults(settings, tenants.fresh)));
  assemblies.set(settings, { sources, main: tenants.main, tenants });
  return settings;
}

/** What was made of the main file, and can be used again as long as it and the policies are the very same sources. */
function mainOf(sources: Sources, options: LoadOptions, faults: Fault[]): MainSettings | undefined {
  const opened = open(sources.gateway, judgeGateway, faults);
  let main: Omit<MainSettings, 'policies'> | undefined;
  if (opened !== undefined) {
    const { root, text } = opened;
    const around = surroundings(sources.gateway, options);
    const proper = gatewayOf(root, { ...around, cores: options.cores ?? availableParallelism() });
    reportMissingPolicies(root.at('policies'), sources);
    main = { text, list: opened.faults, root, proper, known: knownOf(root, around, proper) };
  }
  const hideDeadlineMs = main?.proper.hiding.deadlineMs || LONE_DEADLINE;
  const policies = policiesOf(sources, hideDeadlineMs, options.policyRules, faults);
  return main === undefined ? undefined : { ...main, policies };
}

function sameMain(before: Sources | undefined, now: Sources): boolean {
  return before !== undefined && before.gateway === now.gateway && before.policies === now.policies;
}

/** Settings of the checker process, whole and frozen. @throws ConfigurationError with every fault */
export function loadCheckerSettings(file: string, options: LoadOptions = {}): CheckerSettings {
  return loadProcess(file, options, judgeChecker, checkerOf);
}

/** Settings of the embedded issuer's process, whole and frozen. @throws ConfigurationError with every fault */
export function loadIssuerSettings(file: string, options: LoadOptions = {}): IssuerProcessSettings {
  return loadProcess(file, options, judgeIssuer, issuerOf);
}

function loadProcess<T extends CheckerSettings | IssuerProcessSettings>(
  file: string,
  options: LoadOptions,
  judge: (data: unknown, faults: FaultList) => void,
  build: (root: View, around: Surroundings) => T,
): T {
  const source = readSource(file, options.files);
  const faults: Fault[] = [];
  const opened = open(source, judge, faults);
  const settings = opened && build(opened.root, surroundings(source, options));
  if (opened !== undefined) faults.push(...opened.faults.all);
  refuseFaults(faults);
  if (opened === undefined || settings === undefined)
    throw new TypeError('settings without faults or content');
  remember(deepFreeze(settings), { shown: source.shown, text: opened.text });
  return settings;
}

/**
 * A policy file that has the form of one. Whether its rules make sense is up to who compiles it, unless
 * `policyRules` is given. @throws ConfigurationError with every fault
 */
export function loadPolicyDocument(file: string, options: LoadOptions = {}): PolicyDocument {
  const faults: Fault[] = [];
  const document = policyFrom(
    readPolicySource(file, options.files),
    LONE_DEADLINE,
    options.policyRules,
    faults,
  );
  refuseFaults(faults);
  if (document === undefined) throw new TypeError('a document without faults or content');
  return document;
}

/** A file for `chartgate policy test`. @throws ConfigurationError with every fault */
export function loadPolicyCases(file: string, options: LoadOptions = {}): PolicyCasesDocument {
  const source = readSource(file, options.files);
  const faults: Fault[] = [];
  const opened = open(source, judgeCases, faults);
  const document = opened && policyCasesOf(opened.root, source.file);
  if (opened !== undefined) faults.push(...opened.faults.all);
  refuseFaults(faults);
  if (opened === undefined || document === undefined)
    throw new TypeError('a document without faults or content');
  remember(deepFreeze(document), { shown: source.shown, text: opened.text });
  return document;
}

interface Opened {
  readonly root: View;
  readonly faults: FaultList;
  readonly text: YamlText;
}

/** Text → judged document. Undefined when there is nothing further faults could be looked for in. */
function open(
  source: SourceFile,
  judge: (data: unknown, faults: FaultList) => void,
  faults: Fault[],
): Opened | undefined {
  if (typeof source.content === 'string') {
    faults.push(fileFault(source.shown, describeProblem(source.content, YAML_LIMIT)));
    return undefined;
  }
  const { text, faults: found } = readYaml(source.content);
  if (text === undefined) {
    faults.push(...found.map(({ pointer, ...fault }) => ({ file: source.shown, ...fault })));
    return undefined;
  }
  if (text.data === null && found.length === 0) {
    faults.push(fileFault(source.shown, 'the file is empty or holds only comments'));
    return undefined;
  }
  const list = new FaultList(source.shown, text, found);
  judge(text.data, list);
  if (list.has('')) {
    faults.push(...list.all);
    return undefined;
  }
  return { root: new View(text.data, list), faults: list, text };
}

function surroundings(source: SourceFile, options: LoadOptions) {
  return { files: options.files ?? realFiles, file: source.file, now: options.now ?? Date.now() };
}

/** Unreadable policy files are faults of the gateway's file, where they are named. */
function reportMissingPolicies(view: View, sources: Sources): void {
  for (const { name, source } of sources.policies) {
    if (typeof source.content !== 'string') continue;
    view.at(name).fault(describeProblem(source.content, YAML_LIMIT, dirname(sources.gateway.file)));
  }
}

function policiesOf(
  sources: Sources,
  hideDeadlineMs: number,
  rules: PolicyRules | undefined,
  faults: Fault[],
): ReadonlyMap<string, PolicyDocument> {
  // Two names may stand for one file; its faults are reported once.
  const byFile = new Map<string, PolicyDocument | undefined>();
  const byName: (readonly [string, PolicyDocument])[] = [];
  for (const { name, source } of sources.policies) {
    if (typeof source.content === 'string') continue;
    if (!byFile.has(source.file)) byFile.set(source.file, policyFrom(source, hideDeadlineMs, rules, faults));
    const document = byFile.get(source.file);
    if (document !== undefined) byName.push([name, document]);
  }
  return new FrozenMap(byName);
}

function policyFrom(
  source: SourceFile,
  hideDeadlineMs: number,
  rules: PolicyRules | undefined,
  faults: Fault[],
): PolicyDocument | undefined {
  const opened = open(source, judgePolicy, faults);
  if (opened === undefined) return undefined;
  const document = deepFreeze(policyOf(opened.root, source.file, source.references));
  faults.push(...opened.faults.all);
  if (opened.faults.all.length > 0) return undefined;
  remember(document, { shown: source.shown, text: opened.text });
  if (rules !== undefined) faults.push(...faultsOf(document, rules(document, hideDeadlineMs)));
  return document;
}
