// The part of Network framework's C API that src/network/network_framework.cc uses, declared as Apple documents it, for
// compiling and running that file on Linux. On a Mac the SDK's own header of this name is used instead.
#pragma once

#include <dispatch/dispatch.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_object *nw_object_t;
typedef struct nw_endpoint *nw_endpoint_t;
typedef struct nw_parameters *nw_parameters_t;
typedef struct nw_connection *nw_connection_t;
typedef struct nw_listener *nw_listener_t;
typedef struct nw_path_monitor *nw_path_monitor_t;
typedef struct nw_path *nw_path_t;
typedef struct nw_interface *nw_interface_t;
typedef struct nw_error *nw_error_t;
typedef struct nw_content_context *nw_content_context_t;
typedef struct nw_protocol_options *nw_protocol_options_t;

void *nw_retain(void *obj);
void nw_release(void *obj);

nw_endpoint_t nw_endpoint_create_host(const char *hostname, const char *port);
const char *nw_endpoint_get_hostname(nw_endpoint_t endpoint);
uint16_t nw_endpoint_get_port(nw_endpoint_t endpoint);

typedef void (^nw_parameters_configure_protocol_block_t)(nw_protocol_options_t options);
extern const nw_parameters_configure_protocol_block_t _nw_parameters_configure_protocol_default_configuration;
extern const nw_parameters_configure_protocol_block_t _nw_parameters_configure_protocol_disable;
#define NW_PARAMETERS_DEFAULT_CONFIGURATION (_nw_parameters_configure_protocol_default_configuration)
#define NW_PARAMETERS_DISABLE_PROTOCOL (_nw_parameters_configure_protocol_disable)
nw_parameters_t nw_parameters_create_secure_udp(nw_parameters_configure_protocol_block_t configure_dtls,
                                                nw_parameters_configure_protocol_block_t configure_udp);
void nw_parameters_set_reuse_local_address(nw_parameters_t parameters, bool reuse_local_address);
void nw_parameters_set_local_endpoint(nw_parameters_t parameters, nw_endpoint_t local_endpoint);

typedef enum {
  nw_connection_state_invalid = 0,
  nw_connection_state_waiting = 1,
  nw_connection_state_preparing = 2,
  nw_connection_state_ready = 3,
  nw_connection_state_failed = 4,
  nw_connection_state_cancelled = 5,
} nw_connection_state_t;

typedef void (^nw_connection_state_changed_handler_t)(nw_connection_state_t state, nw_error_t error);
typedef void (^nw_connection_boolean_event_handler_t)(bool value);
typedef void (^nw_connection_send_completion_t)(nw_error_t error);
typedef void (^nw_connection_receive_completion_t)(dispatch_data_t content, nw_content_context_t context,
                                                   bool is_complete, nw_error_t error);

nw_connection_t nw_connection_create(nw_endpoint_t endpoint, nw_parameters_t parameters);
nw_endpoint_t nw_connection_copy_endpoint(nw_connection_t connection);
void nw_connection_set_queue(nw_connection_t connection, dispatch_queue_t queue);
void nw_connection_set_state_changed_handler(nw_connection_t connection, nw_connection_state_changed_handler_t handler);
void nw_connection_set_viability_changed_handler(nw_connection_t connection,
                                                 nw_connection_boolean_event_handler_t handler);
void nw_connection_set_better_path_available_handler(nw_connection_t connection,
                                                     nw_connection_boolean_event_handler_t handler);
void nw_connection_start(nw_connection_t connection);
void nw_connection_cancel(nw_connection_t connection);
void nw_connection_batch(nw_connection_t connection, void (^batch_block)(void));
extern const nw_content_context_t _nw_content_context_default_message;
#define NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT (_nw_content_context_default_message)
void nw_connection_send(nw_connection_t connection, dispatch_data_t content, nw_content_context_t context,
                        bool is_complete, nw_connection_send_completion_t completion);
void nw_connection_receive_message(nw_connection_t connection, nw_connection_receive_completion_t completion);

typedef enum {
  nw_listener_state_invalid = 0,
  nw_listener_state_waiting = 1,
  nw_listener_state_ready = 2,
  nw_listener_state_failed = 3,
  nw_listener_state_cancelled = 4,
} nw_listener_state_t;

typedef void (^nw_listener_state_changed_handler_t)(nw_listener_state_t state, nw_error_t error);
typedef void (^nw_listener_new_connection_handler_t)(nw_connection_t connection);

nw_listener_t nw_listener_create(nw_parameters_t parameters);
void nw_listener_set_queue(nw_listener_t listener, dispatch_queue_t queue);
void nw_listener_set_state_changed_handler(nw_listener_t listener, nw_listener_state_changed_handler_t handler);
void nw_listener_set_new_connection_handler(nw_listener_t listener, nw_listener_new_connection_handler_t handler);
void nw_listener_start(nw_listener_t listener);
void nw_listener_cancel(nw_listener_t listener);
uint16_t nw_listener_get_port(nw_listener_t listener);

typedef enum {
  nw_path_status_invalid = 0,
  nw_path_status_satisfied = 1,
  nw_path_status_unsatisfied = 2,
  nw_path_status_satisfiable = 3,
} nw_path_status_t;

typedef enum {
  nw_interface_type_other = 0,
  nw_interface_type_wifi = 1,
  nw_interface_type_cellular = 2,
  nw_interface_type_wired = 3,
  nw_interface_type_loopback = 4,
} nw_interface_type_t;

typedef void (^nw_path_monitor_update_handler_t)(nw_path_t path);
typedef bool (^nw_path_enumerate_interfaces_block_t)(nw_interface_t interface);

nw_path_monitor_t nw_path_monitor_create(void);
void nw_path_monitor_set_queue(nw_path_monitor_t monitor, dispatch_queue_t queue);
void nw_path_monitor_set_update_handler(nw_path_monitor_t monitor, nw_path_monitor_update_handler_t handler);
void nw_path_monitor_start(nw_path_monitor_t monitor);
void nw_path_monitor_cancel(nw_path_monitor_t monitor);
nw_path_status_t nw_path_get_status(nw_path_t path);
bool nw_path_has_ipv4(nw_path_t path);
bool nw_path_has_ipv6(nw_path_t path);
void nw_path_enumerate_interfaces(nw_path_t path, nw_path_enumerate_interfaces_block_t enumerate_block);
const char *nw_interface_get_name(nw_interface_t interface);
nw_interface_type_t nw_interface_get_type(nw_interface_t interface);

int nw_error_get_error_code(nw_error_t error);

#ifdef __cplusplus
}
#endif
