// What the drivers of C and C++ pages end with: the addon is one function, which exercises the example once.

#include <node_api.h>

/** Exercises plain code; `env` is there. */
#define PROOF(...)                                                                    \
  static napi_value ProofRun(napi_env env, napi_callback_info) {                      \
    __VA_ARGS__;                                                                      \
    return nullptr;                                                                   \
  }                                                                                   \
  NAPI_MODULE_INIT() {                                                                \
    napi_value run;                                                                   \
    napi_create_function(env, "run", NAPI_AUTO_LENGTH, ProofRun, nullptr, &run);      \
    return run;                                                                       \
  }

/** Exports what an expression over `env` of node-addon-api gives. */
#define PROOF_ADDON(expression)                                                       \
  static Napi::Object ProofInit(Napi::Env env, Napi::Object) { return (expression); } \
  NODE_API_MODULE(proof, ProofInit)

/** Exports a function of NAN. */
#define PROOF_NAN(method)                                                             \
  static void ProofInit(v8::Local<v8::Object> exports, v8::Local<v8::Value> module) { \
    Nan::Set(module.As<v8::Object>(), Nan::New("exports").ToLocalChecked(),           \
             Nan::GetFunction(Nan::New<v8::FunctionTemplate>(method)).ToLocalChecked()); \
  }                                                                                   \
  NODE_MODULE(proof, ProofInit)
