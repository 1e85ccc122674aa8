// SPDX-License-Identifier: Apache-2.0
/*
 * Socket load balancing: a backend is chosen once, when a process connects (or sends a datagram without connecting), and
 * written into the call, so that packets go to the backend by themselves. What a program does not find in its maps is
 * left as it is, and nftables decides on its packets.
 *
 *   connect, sendmsg        called ──► frontends, ranges (──► backends) ──► the call's address; calls, peers remember
 *   recvmsg, getpeername    backend ──► calls, peers ──► the address that was called
 *
 * Addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d, because IPv6 sockets talk IPv4 so. Addresses and ports are in network
 * order, all else in host order (little-endian). `src/proxy/ebpf/layout.ts` reads and writes the same structs.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#define SECTION(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define IPV4_MAPPED __builtin_bswap32(0xffff)

static void *(*const lookup)(const void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*const update)(const void *map, const void *key, const void *value,
			    __u64 flags) = (void *)BPF_FUNC_map_update_elem;
static __u32 (*const random)(void) = (void *)BPF_FUNC_get_prandom_u32;
static __u64 (*const now_ns)(void) = (void *)BPF_FUNC_ktime_get_ns;
static __u64 (*const socket_cookie)(void *context) = (void *)BPF_FUNC_get_socket_cookie;
static __u64 (*const namespace_cookie)(void *context) = (void *)BPF_FUNC_get_netns_cookie;
/* What comes after reads what is in memory then. */
#define BARRIER() asm volatile("" ::: "memory")

struct endpoint {
	__u32 address[4];
	__u8 protocol;
	/* A node port: address is 0, or ::ffff:0.0.0.0 for IPv4. */
	__u8 any_address;
	__u16 port;
};

struct range {
	/* Length of the prefix: a range of ports is several of them. */
	__u32 bits;
	struct endpoint called;
};

struct backend {
	__u32 address[4];
	__u16 port;
	__u16 slot;
};

/* As many as have room in the memory that the kernel takes for an entry anyway. */
#define FIRST_BACKENDS 4

struct frontend {
	/* Which backends: a change writes the new ones under another generation, then this entry, in one step. */
	__u32 generation;
	/* Stays while the frontend does, and no other ever has it; names what clients remember. */
	__u32 number;
	/* Its place in `counters`, which another frontend gets after it. */
	__u32 counter;
	__u32 buckets;
	/* Idle time-out of client affinity in seconds; 0 for none. */
	__u32 affinity;
	__u8 by_client;
	__u8 in_turn;
	/* Connections keep the port that was called. */
	__u8 keeps_port;
	/* TCP connections to a backend that went are reset some time. */
	__u8 resets;
	__u16 first_port;
	__u16 last_port;
};

/* A frontend with the backends of its first buckets: most have no others, and are all in one place of the memory. */
struct entry {
	struct frontend frontend;
	struct backend first[FIRST_BACKENDS];
};

struct place {
	__u32 generation;
	/* A bucket after the first, or with SLOT a slot: the number by which clients remember a backend. */
	__u32 index;
};
#define SLOT 0x80000000

/* A network namespace whose processes are served, by its cookie. */
struct caller {
	__u32 is_node;
	/* Hashes of its IPv4 and IPv6 address, for choices by client. */
	__u32 hash[2];
};

struct memory_key {
	/* A namespace's cookie under client affinity, else a UDP socket's with SOCKET. */
	__u64 client;
	__u32 number;
	__u32 zero;
};
#define SOCKET (1ULL << 63)

struct memory {
	__u64 used_ns;
	__u32 slot;
	__u32 zero;
};

/*
 * What a TCP socket got in the place of what it called, for as long as no PEERS later sockets have: it only tells the
 * name of the peer, and anything that lasts longer would cost more than all the rest of a connect.
 */
struct peer {
	__u64 socket;
	struct endpoint backend;
	struct endpoint called;
};
#define PEERS 32768

/* The same for UDP, and for TCP connections that are reset some time after their backend went. */
struct call_key {
	__u64 socket;
	struct endpoint backend;
	__u32 zero;
};

struct call {
	struct endpoint called;
	__u32 zero;
	/* Cookie of the socket's network namespace. */
	__u64 namespace;
};

struct map {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	/* 0 for a size that the loader gives. */
	__u32 max_entries;
	__u32 flags;
};
#define MAP(name, map_type, key, value, entries, map_flags)                                                            \
	struct map name SECTION("maps") = { map_type, sizeof(key), sizeof(value), entries, map_flags }

MAP(frontends, BPF_MAP_TYPE_HASH, struct endpoint, struct entry, 0, BPF_F_NO_PREALLOC);
MAP(ranges, BPF_MAP_TYPE_LPM_TRIE, struct range, struct entry, 1 << 22, BPF_F_NO_PREALLOC);
MAP(backends, BPF_MAP_TYPE_HASH, struct place, struct backend, 0, BPF_F_NO_PREALLOC);
MAP(counters, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 0, 0);
MAP(node_addresses, BPF_MAP_TYPE_HASH, __u32[4], __u32, 4096, BPF_F_NO_PREALLOC);
MAP(callers, BPF_MAP_TYPE_HASH, __u64, struct caller, 4096, BPF_F_NO_PREALLOC);
MAP(memories, BPF_MAP_TYPE_LRU_HASH, struct memory_key, struct memory, 16384, 0);
MAP(peers, BPF_MAP_TYPE_ARRAY, __u32, struct peer, PEERS, 0);
MAP(calls, BPF_MAP_TYPE_LRU_HASH, struct call_key, struct call, 32768, 0);

INLINE int is_ipv4(const __u32 *address)
{
	return address[0] == 0 && address[1] == 0 && address[2] == IPV4_MAPPED;
}

/* The frontend that is called; `*is_loopback` is set when only the node's own processes may. */
INLINE struct entry *find(const struct endpoint *called, int *is_loopback)
{
	struct entry *found = lookup(&frontends, called);
	if (found)
		return found;
	struct range range = { .bits = 8 * sizeof(*called), .called = *called };
	found = lookup(&ranges, &range);
	if (found)
		return found;
	__u32 *loopback = lookup(&node_addresses, called->address);
	if (!loopback)
		return 0;
	*is_loopback = *loopback;
	struct endpoint port = { .protocol = called->protocol, .any_address = 1, .port = called->port };
	if (is_ipv4(called->address))
		port.address[2] = IPV4_MAPPED;
	return lookup(&frontends, &port);
}

INLINE const struct backend *backend_at(__u32 generation, __u32 index)
{
	struct place place = { .generation = generation, .index = index };
	return lookup(&backends, &place);
}

INLINE const struct backend *backend_of(const struct entry *found, const struct frontend *frontend, __u32 bucket)
{
	return bucket < FIRST_BACKENDS ? &found->first[bucket] : backend_at(frontend->generation, bucket);
}

/* Counts a connection; returns how many this processor had counted before. */
INLINE __u64 count(const struct frontend *frontend)
{
	__u64 *counter = lookup(&counters, &frontend->counter);
	return counter ? (*counter)++ : random();
}

/* What a new connection draws. UDP draws by socket, so that its datagrams stay together. */
INLINE __u32 draw(struct bpf_sock_addr *context, const struct endpoint *called, const struct frontend *frontend,
		  const struct caller *caller, __u64 turn)
{
	if (frontend->by_client)
		return caller->hash[!is_ipv4(called->address)];
	if (frontend->in_turn)
		return turn;
	if (called->protocol == IPPROTO_UDP)
		return (socket_cookie(context) * 0x9e3779b97f4a7c15ULL) >> 32;
	return random();
}

/* The backend that the client used last, unless it is gone or the time is over. */
INLINE const struct backend *remembered(const struct memory_key *key, const struct frontend *frontend)
{
	struct memory *memory = lookup(&memories, key);
	if (!memory)
		return 0;
	__u64 now = now_ns();
	if (frontend->affinity && now - memory->used_ns >= frontend->affinity * 1000000000ULL)
		return 0;
	const struct backend *backend = backend_at(frontend->generation, SLOT | memory->slot);
	if (backend)
		memory->used_ns = now;
	return backend;
}

/* Chooses for one reading of the frontend; 0 when it changed meanwhile and its backends are gone. */
INLINE const struct backend *choose(struct bpf_sock_addr *context, const struct endpoint *called,
				    const struct entry *found, const struct frontend *frontend,
				    const struct caller *caller, int connects)
{
	struct memory_key key = { .number = frontend->number };
	if (frontend->affinity)
		key.client = namespace_cookie(context);
	else if (!connects)
		key.client = socket_cookie(context) | SOCKET;
	const struct backend *backend = key.client ? remembered(&key, frontend) : 0;
	if (backend) {
		if (connects)
			count(frontend);
		return backend;
	}
	__u32 drawn = draw(context, called, frontend, caller, count(frontend));
	backend = backend_of(found, frontend, drawn % frontend->buckets);
	if (backend && key.client) {
		struct memory memory = { .used_ns = now_ns(), .slot = backend->slot };
		update(&memories, &key, &memory, BPF_ANY);
	}
	return backend;
}

INLINE int is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->address[0] == b->address[0] && a->address[1] == b->address[1] && a->address[2] == b->address[2] &&
	       a->address[3] == b->address[3] && a->port == b->port;
}

INLINE void remember_call(struct bpf_sock_addr *context, const struct endpoint *called, const struct endpoint *backend)
{
	struct call_key key = { .socket = socket_cookie(context), .backend = *backend };
	struct call *known = lookup(&calls, &key);
	if (known && is_same(&known->called, called))
		return;
	struct call call = { .called = *called, .namespace = namespace_cookie(context) };
	update(&calls, &key, &call, BPF_ANY);
}

INLINE struct peer *peer_of(__u64 socket)
{
	__u32 index = socket % PEERS;
	return lookup(&peers, &index);
}

/* Remembers what a socket called, for the way back. */
INLINE void remember(struct bpf_sock_addr *context, const struct endpoint *called, const struct endpoint *backend,
		     int resets)
{
	if (called->protocol == IPPROTO_UDP || resets)
		remember_call(context, called, backend);
	if (called->protocol == IPPROTO_UDP)
		return;
	__u64 socket = socket_cookie(context);
	struct peer *peer = peer_of(socket);
	if (peer)
		*peer = (struct peer){ .socket = socket, .backend = *backend, .called = *called };
}

/* Puts a backend in the place of a called frontend; returns 0 when none is called. */
INLINE int forward(struct bpf_sock_addr *context, struct endpoint *to, int connects)
{
	if (to->protocol != IPPROTO_TCP && to->protocol != IPPROTO_UDP)
		return 0;
	const struct endpoint called = *to;
#pragma unroll
	for (int attempt = 0; attempt < 2; attempt++) {
		int is_loopback = 0;
		struct entry *found = find(&called, &is_loopback);
		if (!found)
			return 0;
		/* A copy: the entry may become another while it is read. */
		struct frontend frontend = found->frontend;
		BARRIER();
		if (frontend.buckets == 0)
			return 0;
		__u64 cookie = namespace_cookie(context);
		struct caller *caller = lookup(&callers, &cookie);
		if (!caller || (is_loopback && !caller->is_node))
			return 0;
		const struct backend *backend = choose(context, &called, found, &frontend, caller, connects);
		if (!backend)
			continue;
		struct endpoint chosen = called;
		__builtin_memcpy(chosen.address, backend->address, sizeof(chosen.address));
		if (!frontend.keeps_port)
			chosen.port = backend->port;
		BARRIER();
		/* It became another entry, and the backend may be that one's. */
		if (found->frontend.generation != frontend.generation)
			continue;
		*to = chosen;
		remember(context, &called, to, frontend.resets);
		return 1;
	}
	return 0;
}

INLINE int restore_peer(struct bpf_sock_addr *context, struct endpoint *from)
{
	__u64 socket = socket_cookie(context);
	struct peer *peer = peer_of(socket);
	if (!peer || peer->socket != socket || !is_same(&peer->backend, from))
		return 0;
	*from = peer->called;
	return 1;
}

/* Puts the address that was called in the place of a backend's; returns 0 when none was. */
INLINE int restore(struct bpf_sock_addr *context, struct endpoint *from)
{
	if (from->protocol == IPPROTO_TCP)
		return restore_peer(context, from);
	struct call_key key = { .socket = socket_cookie(context), .backend = *from };
	struct call *call = lookup(&calls, &key);
	if (!call)
		return 0;
	*from = call->called;
	return 1;
}

INLINE struct endpoint read4(const struct bpf_sock_addr *context)
{
	return (struct endpoint){ .address = { 0, 0, IPV4_MAPPED, context->user_ip4 },
				  .protocol = context->protocol,
				  .port = context->user_port };
}

INLINE struct endpoint read6(const struct bpf_sock_addr *context)
{
	return (struct endpoint){ .address = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2],
					       context->user_ip6[3] },
				  .protocol = context->protocol,
				  .port = context->user_port };
}

INLINE void write4(struct bpf_sock_addr *context, const struct endpoint *to)
{
	context->user_ip4 = to->address[3];
	context->user_port = to->port;
}

INLINE void write6(struct bpf_sock_addr *context, const struct endpoint *to)
{
	context->user_ip6[0] = to->address[0];
	context->user_ip6[1] = to->address[1];
	context->user_ip6[2] = to->address[2];
	context->user_ip6[3] = to->address[3];
	context->user_port = to->port;
}

/* Every program lets the call go on: 1. */
#define PROGRAM(name, family, translate)                                                                               \
	SECTION("cgroup/" #name) int name(struct bpf_sock_addr *context)                                                         \
	{                                                                                                              \
		struct endpoint peer = read##family(context);                                                          \
		if (translate)                                                                                         \
			write##family(context, &peer);                                                                 \
		return 1;                                                                                              \
	}

PROGRAM(connect4, 4, forward(context, &peer, 1))
PROGRAM(connect6, 6, forward(context, &peer, 1))
PROGRAM(sendmsg4, 4, forward(context, &peer, 0))
PROGRAM(sendmsg6, 6, forward(context, &peer, 0))
PROGRAM(recvmsg4, 4, restore(context, &peer))
PROGRAM(recvmsg6, 6, restore(context, &peer))
PROGRAM(getpeername4, 4, restore(context, &peer))
PROGRAM(getpeername6, 6, restore(context, &peer))

char license_text[] SECTION("license") = "Apache-2.0";
