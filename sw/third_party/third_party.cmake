# Libraries of others, unchanged, of which libsterna takes the parts that it needs:
#
#   zlib 1.3.1 (zlib licence), https://github.com/madler/zlib: inflate and CRC-32
#   yyjson 0.12.0 (MIT), https://github.com/ibireme/yyjson: the reader of JSON
#   libjpeg-turbo 2.1.x at b6ee9470 (IJG, BSD-3-Clause), https://github.com/libjpeg-turbo/libjpeg-turbo: the decoder
#   Monocypher 4.0.3 (BSD-2-Clause or CC0), https://github.com/LoupVaillant/Monocypher: Ed25519 and BLAKE2b
#
# Their names stay inside libsterna, so that a program may have other versions of them.
set(zlib "${CMAKE_CURRENT_LIST_DIR}/zlib")
set(yyjson "${CMAKE_CURRENT_LIST_DIR}/yyjson")
set(jpeg "${CMAKE_CURRENT_LIST_DIR}/libjpeg-turbo")
set(monocypher "${CMAKE_CURRENT_LIST_DIR}/monocypher")
set(STERNA_THIRD_PARTY_INCLUDES "${zlib}" "${yyjson}" "${jpeg}-config" "${jpeg}" "${monocypher}")
set(STERNA_THIRD_PARTY_DEFINITIONS
  Z_PREFIX DYNAMIC_CRC_TABLE
  YYJSON_DISABLE_WRITER YYJSON_DISABLE_UTILS YYJSON_DISABLE_NON_STANDARD
  MONOCYPHER_CPP_NAMESPACE=sterna::monocypher
)
set(STERNA_THIRD_PARTY_SOURCES
  "${zlib}/adler32.c" "${zlib}/crc32.c" "${zlib}/inffast.c" "${zlib}/inflate.c" "${zlib}/inftrees.c" "${zlib}/zutil.c"
  "${yyjson}/yyjson.c" "${monocypher}/monocypher.c" "${monocypher}/monocypher-ed25519.c"
)
foreach(part
  jcomapi jdapimin jdapistd jdatasrc jdcoefct jdcolor jddctmgr jdhuff jdinput jdmainct jdmarker
  jdmaster jdmerge jdphuff jdpostct jdsample jerror jidctflt jidctfst jidctint jidctred jmemmgr
  jmemnobs jquant1 jquant2 jsimd_none jutils)
  list(APPEND STERNA_THIRD_PARTY_SOURCES "${jpeg}/${part}.c")
endforeach()
# C++ has a namespace for it.
set_source_files_properties("${monocypher}/monocypher.c" "${monocypher}/monocypher-ed25519.c" PROPERTIES LANGUAGE CXX)
set_source_files_properties(${STERNA_THIRD_PARTY_SOURCES} PROPERTIES COMPILE_OPTIONS "-w")
