import { isCollection, isMap, isNode, isScalar, isSeq, parseDocument, visit, YAMLSeq, type Document } from 'yaml';
import { MeshError } from './errors.ts';
import { parseInventory } from './inventory.ts';
import { message } from './messages.ts';
import type { ClusterEntry, Inventory, ServiceEntry, VmEntry } from './model.ts';

/**
 * Edits of the text of mesh-expansion.yaml that keep comments, order and everything they do not touch. Each takes a text and gives the new one; the result is
 * parsed before it is given, and `inventory.invalid` is thrown, nothing being changed, where it would not be an inventory. An empty text begins a new inventory.
 */

type Section = 'clusters' | 'vms' | 'services';
type Fields = Readonly<Record<string, unknown>>;

/** What a person gives: only the keys that are to be written. A key that is undefined is removed by an update. */
export type ClusterFields = Partial<Omit<ClusterEntry, 'istio'>> & { readonly istio?: Partial<ClusterEntry['istio']> };
export type VmFields = Partial<VmEntry>;
export type ServiceFields = Partial<Omit<ServiceEntry, 'ports'>> & {
  readonly ports?: readonly {
    readonly name: string;
    readonly port: number;
    readonly targetPort?: number;
    readonly protocol?: 'TCP' | 'UDP';
  }[];
};

export const addCluster = (text: string, fields: ClusterFields & { readonly context: string }): string => add(text, 'clusters', fields);
export const addVm = (text: string, fields: VmFields & Pick<VmEntry, 'name' | 'cluster' | 'namespace'>): string => add(text, 'vms', fields);
export const addService = (text: string, fields: ServiceFields & Pick<ServiceEntry, 'name' | 'cluster' | 'namespace'>): string =>
  add(text, 'services', fields);

export const updateCluster = (text: string, name: string, fields: ClusterFields): string =>
  update(text, 'clusters', (inventory) => inventory.clusters.findIndex((cluster) => cluster.name === name), name, fields);
export const updateVm = (text: string, name: string, fields: VmFields): string =>
  update(text, 'vms', (inventory) => inventory.vms.findIndex((vm) => vm.name === name), name, fields);
export const updateService = (text: string, name: string, namespace: string, fields: ServiceFields): string =>
  update(
    text,
    'services',
    (inventory) => inventory.services.findIndex((service) => service.name === name && service.namespace === namespace),
    `${name}.${namespace}`,
    fields,
  );

/** Sets the captured inbound ports of a VM; undefined removes the key. */
export const setInboundPorts = (text: string, vm: string, ports: readonly number[] | '*' | undefined): string =>
  updateVm(text, vm, { inboundPorts: ports });

/** Makes a machine that only the cluster knows a VM of the inventory, and lists it in the registered services of the inventory that have its address. */
export function adoptAddress(
  text: string,
  vm: VmFields & Pick<VmEntry, 'name' | 'cluster' | 'namespace' | 'address'>,
  services: readonly { readonly name: string; readonly namespace: string }[] = [],
): string {
  const added = addVm(text, vm);
  return services.reduce((current, { name, namespace }) => {
    const known = parseInventory(current).inventory.services.find(
      (service) => service.name === name && service.namespace === namespace && service.cluster === vm.cluster,
    );
    return known === undefined || known.vms.includes(vm.name)
      ? current
      : updateService(current, name, namespace, { vms: [...known.vms, vm.name] });
  }, added);
}

/** Removes a VM, and its name from the services that list it. */
export const removeVm = (text: string, name: string): string =>
  edit(text, (document, inventory) => {
    removeAt(
      document,
      'vms',
      inventory.vms.findIndex((vm) => vm.name === name),
      name,
    );
    inventory.services.forEach((service, index) => {
      const position = service.vms.indexOf(name);
      if (position >= 0) document.deleteIn(['services', index, 'vms', position]);
    });
  });

export const removeService = (text: string, name: string, namespace: string): string =>
  edit(text, (document, inventory) =>
    removeAt(
      document,
      'services',
      inventory.services.findIndex((service) => service.name === name && service.namespace === namespace),
      `${name}.${namespace}`,
    ),
  );

function add(text: string, section: Section, fields: Fields): string {
  return edit(text, (document) => {
    const node = document.createNode(written(fields));
    flowShortLists(node);
    const list = document.get(section);
    if (isSeq(list)) {
      // A list that is written as [] takes entries in the block style that people read.
      if (list.items.length === 0) list.flow = false;
      list.add(node);
    } else {
      const fresh = new YAMLSeq();
      fresh.add(node);
      document.set(section, fresh);
    }
  });
}

function update(text: string, section: Section, indexIn: (inventory: Inventory) => number, name: string, fields: Fields): string {
  return edit(text, (document, inventory) => {
    const index = indexIn(inventory);
    if (index < 0) throw missing(name);
    assign(document, [section, index], fields);
  });
}

/** Sets keys one by one, mappings inside them too, so that comments beside the others stay. */
function assign(document: Document, path: readonly (string | number)[], fields: Fields): void {
  for (const [key, value] of Object.entries(fields)) {
    const at = [...path, key];
    const present: unknown = document.getIn(at, true);
    if (value === undefined) document.deleteIn(at);
    else if (isScalar(present) && (typeof value !== 'object' || value === null)) present.value = value;
    else if (isMap(present) && isFields(value)) assign(document, at, value);
    else {
      const node = document.createNode(isFields(value) ? written(value) : value);
      flowShortLists(node, true);
      if (isNode(present))
        Object.assign(node, { comment: present.comment, commentBefore: present.commentBefore, spaceBefore: present.spaceBefore });
      document.setIn(at, node);
    }
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function written(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Lists of plain values, and the mappings in a list of ports, read best on one line. */
function flowShortLists(node: unknown, inside = false): void {
  if (isSeq(node)) {
    if (inside) for (const one of [node, ...node.items]) if (isCollection(one)) one.flow = true;
  } else if (isMap(node)) {
    for (const pair of node.items) flowShortLists(pair.value, true);
  }
}

function removeAt(document: Document, section: Section, index: number, name: string): void {
  if (index < 0) throw missing(name);
  document.deleteIn([section, index]);
}

function edit(text: string, change: (document: Document, inventory: Inventory) => void): string {
  const { inventory } = parseInventory(text);
  const document: Document = parseDocument(text);
  document.contents ??= document.createNode({ version: 1 });
  change(document, inventory);
  keepFlowStyle(document, text);
  const result = document.toString({ lineWidth: 0 });
  parseInventory(result);
  return result;
}

/** The library pads all lists and mappings on one line alike; each keeps the padding that it was written with, and new ones read `[80, 443]` and `{ name: http }`. */
function keepFlowStyle(document: Document, text: string): void {
  visit(document, {
    Collection: (_, node) => {
      if (node.flow !== true) return;
      const start = node.range?.[0];
      const padded = start === undefined ? isMap(node) : /\s/.test(text.charAt(start + 1));
      const print = node.toString.bind(node);
      node.toString = (context, ...rest) => print(context && { ...context, flowCollectionPadding: padded ? ' ' : '' }, ...rest);
    },
  });
}

function missing(name: string): MeshError {
  return new MeshError({
    code: 'inventory.unknown-name',
    kind: 'bad-input',
    userMessage: message('inventory.unknown-name.entry', { name }),
  });
}
