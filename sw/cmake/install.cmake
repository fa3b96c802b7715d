# Headers, libraries, and what find_package(Sterna) and pkg-config read.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Sterna")
install(TARGETS sterna sterna_static EXPORT SternaTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT SternaTargets NAMESPACE Sterna:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/SternaConfig.cmake.in SternaConfig.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(SternaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/SternaConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/SternaConfigVersion.cmake"
  DESTINATION "${package_dir}")
configure_file(cmake/sterna.pc.in sterna.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/sterna.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install(FILES ../LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/sterna")
install(FILES third_party/zlib/LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/sterna/zlib")
install(FILES third_party/yyjson/LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/sterna/yyjson")
install(FILES third_party/libjpeg-turbo/LICENSE third_party/libjpeg-turbo/README.ijg
  DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/sterna/libjpeg-turbo")
install(FILES third_party/monocypher/LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/sterna/monocypher")
