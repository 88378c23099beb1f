// How values are compared: exact, prefix, suffix, presence; hosts, methods, paths and their templates; not… fields.
import { allow, type CaseGroup, deny, group } from './case.ts';

const reference = 'reference/config/security/authorization-policy';
const paths = (list: string): string => allow(`{to: [{operation: {paths: [${list}]}}]}`);
const hosts = (list: string): string => allow(`{to: [{operation: {hosts: [${list}]}}]}`);

/** Groups about texts. */
export const texts: readonly CaseGroup[] = [
  group('a path exactly', reference, paths('"/info"'), [
    [{ path: '/info' }, 'allow'],
    [{ path: '/info/' }, 'deny'],
    [{ path: '/infos' }, 'deny'],
    [{ path: '/INFO' }, 'deny'],
    [{ path: '/info?verbose=1' }, 'allow'],
    [{ path: '/x?/info' }, 'deny'],
  ]),
  group('a path by its beginning', reference, paths('"/info*"'), [
    [{ path: '/info' }, 'allow'],
    [{ path: '/info/a/b' }, 'allow'],
    [{ path: '/information' }, 'allow'],
    [{ path: '/inf' }, 'deny'],
    [{ path: '/a/info' }, 'deny'],
  ]),
  group('a path by its end', reference, paths('"*/info"'), [
    [{ path: '/info' }, 'allow'],
    [{ path: '/a/info' }, 'allow'],
    [{ path: '/a/info/' }, 'deny'],
    [{ path: '/a/info?x=1' }, 'allow'],
    [{ path: '/a?x=/info' }, 'deny'],
  ]),
  group('any path', reference, paths('"*"'), [
    [{ path: '/' }, 'allow'],
    [{ path: '/a/b' }, 'allow'],
  ]),
  group('one of several paths', reference, paths('"/a", "/b*"'), [
    [{ path: '/a' }, 'allow'],
    [{ path: '/bc' }, 'allow'],
    [{ path: '/ac' }, 'deny'],
  ]),
  group('a template with one segment', reference, paths('"/foo/{*}"'), [
    [{ path: '/foo/bar' }, 'allow'],
    [{ path: '/foo/bar/baz' }, 'deny'],
    [{ path: '/foo/' }, 'deny'],
    [{ path: '/foo' }, 'deny'],
    [{ path: '/foo/bar?x=1' }, 'allow'],
  ]),
  group('a template with a segment in the middle', reference, paths('"/users/{*}/orders"'), [
    [{ path: '/users/7/orders' }, 'allow'],
    [{ path: '/users/7/orders/1' }, 'deny'],
    [{ path: '/users//orders' }, 'deny'],
    [{ path: '/users/7/8/orders' }, 'deny'],
  ]),
  group('a template with any number of segments', reference, paths('"/foo/{**}"'), [
    [{ path: '/foo/' }, 'allow'],
    [{ path: '/foo/bar' }, 'allow'],
    [{ path: '/foo/bar/baz.txt' }, 'allow'],
    [{ path: '/foo' }, 'deny'],
    [{ path: '/food' }, 'deny'],
  ]),
  group('a template with both', reference, paths('"/foo/{*}/bar/{**}"'), [
    [{ path: '/foo/buzz/bar/' }, 'allow'],
    [{ path: '/foo/buzz/bar/baz' }, 'allow'],
    [{ path: '/foo/buzz/bar' }, 'deny'],
    [{ path: '/foo/bar/baz' }, 'deny'],
  ]),
  group('a template takes a dot as a dot', reference, paths('"/files/{*}/a.txt"'), [
    [{ path: '/files/x/a.txt' }, 'allow'],
    [{ path: '/files/x/aXtxt' }, 'deny'],
  ]),
  group('a method of gRPC is a path', reference, paths('"/shop.v1.Orders/Get", "/shop.v1.Stock/*"'), [
    [{ method: 'POST', path: '/shop.v1.Orders/Get' }, 'allow'],
    [{ method: 'POST', path: '/shop.v1.Orders/Delete' }, 'deny'],
    [{ method: 'POST', path: '/shop.v1.Stock/Reserve' }, 'allow'],
  ]),
  group('methods', reference, allow('{to: [{operation: {methods: ["GET", "HEAD"]}}]}'), [
    [{ method: 'GET' }, 'allow'],
    [{ method: 'HEAD' }, 'allow'],
    [{ method: 'POST' }, 'deny'],
    [{ method: 'get' }, 'deny'],
  ]),
  group(
    'a method by its beginning and any method',
    reference,
    allow('{to: [{operation: {methods: ["P*"]}}]}'),
    [
      [{ method: 'POST' }, 'allow'],
      [{ method: 'PATCH' }, 'allow'],
      [{ method: 'GET' }, 'deny'],
    ],
  ),
  group('a host exactly, whatever its case', reference, hosts('"Shop.example.com"'), [
    [{ host: 'shop.example.com' }, 'allow'],
    [{ host: 'SHOP.EXAMPLE.COM' }, 'allow'],
    [{ host: 'www.shop.example.com' }, 'deny'],
  ]),
  group(
    'a host with its port is another text',
    'ops/best-practices/security',
    deny('{to: [{operation: {hosts: ["httpbin.com"]}}]}'),
    [
      [{ host: 'httpbin.com' }, 'deny'],
      [{ host: 'httpbin.com:8080' }, 'allow'],
    ],
  ),
  group(
    'a host with and without its port',
    'ops/best-practices/security',
    deny('{to: [{operation: {hosts: ["httpbin.com", "httpbin.com:*"]}}]}'),
    [
      [{ host: 'httpbin.com' }, 'deny'],
      [{ host: 'httpbin.com:8080' }, 'deny'],
      [{ host: 'httpbin.org' }, 'allow'],
    ],
  ),
  group('a host by its end', reference, hosts('"*.example.com"'), [
    [{ host: 'a.example.com' }, 'allow'],
    [{ host: 'a.b.Example.com' }, 'allow'],
    [{ host: 'example.com' }, 'deny'],
  ]),
  group(
    'fields of an operation must all hold',
    reference,
    allow('{to: [{operation: {hosts: ["*.example.com"], methods: [GET, HEAD], notPaths: ["/admin*"]}}]}'),
    [
      [{ host: 'a.example.com' }, 'allow'],
      [{ host: 'a.example.com', method: 'POST' }, 'deny'],
      [{ host: 'a.example.com', path: '/admin/x' }, 'deny'],
      [{ host: 'a.example.org' }, 'deny'],
    ],
  ),
  group(
    'operations of one rule are alternatives',
    reference,
    allow(
      '{to: [{operation: {methods: [GET], paths: ["/info*"]}}, {operation: {methods: [POST], paths: ["/data"]}}]}',
    ),
    [
      [{ path: '/info' }, 'allow'],
      [{ method: 'POST', path: '/data' }, 'allow'],
      [{ method: 'POST', path: '/info' }, 'deny'],
      [{ path: '/data' }, 'deny'],
    ],
  ),
  group('notMethods', reference, deny('{to: [{operation: {notMethods: [GET]}}]}'), [
    [{}, 'allow'],
    [{ method: 'POST' }, 'deny'],
    [{ method: 'HEAD' }, 'deny'],
  ]),
  group('notHosts', reference, deny('{to: [{operation: {notHosts: ["a.example", "b.example"]}}]}'), [
    [{ host: 'a.example' }, 'allow'],
    [{ host: 'b.example' }, 'allow'],
    [{ host: 'c.example' }, 'deny'],
  ]),
  group('notPaths with a template', reference, allow('{to: [{operation: {notPaths: ["/internal/{**}"]}}]}'), [
    [{ path: '/internal/x/y' }, 'deny'],
    [{ path: '/public' }, 'allow'],
  ]),
  group(
    'values and notValues together',
    reference,
    allow('{to: [{operation: {paths: ["/a*"], notPaths: ["/a/secret*"]}}]}'),
    [
      [{ path: '/a/x' }, 'allow'],
      [{ path: '/a/secret/1' }, 'deny'],
      [{ path: '/b' }, 'deny'],
    ],
  ),
  group('ports', reference, allow('{to: [{operation: {ports: ["8080", "9090"]}}]}'), [
    [{ port: 8080 }, 'allow'],
    [{ port: 9090 }, 'allow'],
    [{ port: 8081 }, 'deny'],
  ]),
  group('notPorts', reference, deny('{to: [{operation: {notPorts: ["8080"]}}]}'), [
    [{ port: 8080 }, 'allow'],
    [{ port: 8081 }, 'deny'],
  ]),
];
