/* A pretend libnvidia-ml.so.1: enough of NVML's functions to answer `detect`, so that the code that calls the real one
 * runs without a driver. PRETEND_NVML says what machine it is. Layouts and numbers are those of nvml.h. */
#include <stdlib.h>
#include <string.h>

enum { OK = 0, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, TOO_SMALL = 7, NOT_LOADED = 9, LOST = 15, MISMATCH = 18 };

typedef struct { unsigned index; int instance; } Device;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory;
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } Pci;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } Process;

static Device devices[2] = {{0, -1}, {1, -1}};
static Device slices[2] = {{0, 0}, {0, 1}};
static const unsigned long long MIB = 1ull << 20;

static int is(const char *machine) {
    const char *said = getenv("PRETEND_NVML");
    return said && strcmp(said, machine) == 0;
}

int nvmlInit_v2(void) {
    if (is("mismatch")) return MISMATCH;
    if (is("unloaded")) return NOT_LOADED;
    if (is("forbidden")) return NO_PERMISSION;
    return OK;
}
int nvmlInitWithFlags(unsigned flags) { (void)flags; return nvmlInit_v2(); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { (void)code; return "pretend"; }

int nvmlSystemGetDriverVersion(char *text, unsigned size) { strncpy(text, "580.95.05", size); return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 13000; return OK; }
int nvmlSystemGetCudaDriverVersion(int *version) { *version = 13000; return OK; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = is("none") ? 0 : 2; return OK; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    if (is("lost") && index == 1) return LOST;
    if (index > 1) return NOT_FOUND;
    *device = &devices[index];
    return OK;
}
int nvmlDeviceGetIndex(Device *device, unsigned *index) { *index = device->index; return OK; }
int nvmlDeviceGetName(Device *device, char *text, unsigned size) {
    const char *name = device->instance >= 0 ? "NVIDIA A100-SXM4-80GB MIG 3g.40gb"
                       : is("mig") ? "NVIDIA A100-SXM4-80GB"
                       : is("gb10") ? "NVIDIA GB10"
                       : is("vgpu") ? "NVIDIA A40-24Q"
                                    : "NVIDIA H100 80GB HBM3";
    strncpy(text, name, size);
    return OK;
}
int nvmlDeviceGetUUID(Device *device, char *text, unsigned size) {
    strncpy(text, device->instance == 1 ? "MIG-bbbb" : device->instance == 0 ? "MIG-aaaa" : device->index ? "GPU-1111" : "GPU-0000", size);
    return OK;
}
int nvmlDeviceGetMemoryInfo_v2(Device *device, Memory *memory) {
    if (is("gb10")) return NOT_SUPPORTED;
    memory->total = (device->instance >= 0 ? 40192 : 81559) * MIB;
    memory->reserved = device->instance >= 0 ? 0 : 543 * MIB;
    memory->used = 1200 * MIB;
    memory->free = memory->total - memory->reserved - memory->used;
    return OK;
}
int nvmlDeviceGetCudaComputeCapability(Device *device, int *major, int *minor) {
    (void)device;
    *major = 9;
    *minor = 0;
    return OK;
}
int nvmlDeviceGetMaxPcieLinkGeneration(Device *device, unsigned *value) { (void)device; *value = 5; return OK; }
int nvmlDeviceGetMaxPcieLinkWidth(Device *device, unsigned *value) { (void)device; *value = 16; return OK; }
int nvmlDeviceGetEccMode(Device *device, unsigned *now, unsigned *next) { (void)device; *now = 1; *next = 1; return OK; }
int nvmlDeviceGetPowerManagementLimit(Device *device, unsigned *value) { (void)device; *value = 700000; return OK; }
int nvmlDeviceGetVirtualizationMode(Device *device, int *mode) { (void)device; *mode = is("vgpu") ? 2 : 0; return OK; }

int nvmlDeviceGetNvLinkState(Device *device, unsigned link, unsigned *on) {
    (void)device;
    if (link > 17 || is("pcie")) return NOT_SUPPORTED;
    *on = link != 17; /* one link is down */
    return OK;
}
int nvmlDeviceGetNvLinkVersion(Device *device, unsigned link, unsigned *version) { (void)device; (void)link; *version = 6; return OK; }
static void address(Pci *pci, unsigned index) {
    memset(pci, 0, sizeof *pci);
    strcpy(pci->bus_id, index ? "00000000:0B:00.0" : "00000000:0A:00.0");
    strcpy(pci->legacy, index ? "0000:0B:00.0" : "0000:0A:00.0");
}
int nvmlDeviceGetPciInfo_v3(Device *device, Pci *pci) { address(pci, device->index); return OK; }
int nvmlDeviceGetNvLinkRemotePciInfo_v2(Device *device, unsigned link, Pci *pci) { (void)link; address(pci, !device->index); return OK; }
int nvmlDeviceGetP2PStatus(Device *a, Device *b, int index, int *status) {
    (void)a; (void)b; (void)index;
    *status = 5; /* not supported: the peers at the links' ends must tell */
    return OK;
}
int nvmlDeviceGetTopologyCommonAncestor(Device *a, Device *b, int *level) { (void)a; (void)b; *level = 30; return OK; }

int nvmlDeviceGetMigMode(Device *device, unsigned *now, unsigned *next) {
    *now = *next = is("mig") && device->index == 0;
    return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) { (void)device; *count = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned slot, Device **instance) {
    (void)device;
    if (slot > 1) return NOT_FOUND;
    *instance = &slices[slot];
    return OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *list) {
    (void)device;
    if (*count < 2) { *count = 2; return TOO_SMALL; }
    *count = 2;
    for (int i = 0; i < 2; i++) list[i] = (Process){100 + i, 512 * MIB, 0, 0};
    return OK;
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *device, unsigned *count, Process *list) {
    (void)device; (void)list;
    *count = 0;
    return OK;
}
